terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

provider "foundryhub" {}

variable "hub_id" {
  description = "ARM id of this team's hub."
  type        = string
}

variable "developers_group" {
  description = "Object id of the group that works with the hub's data."
  type        = string
}

# The other team's state may have the same roles: then they are used, and left alone when this is destroyed.
resource "foundryhub_role_assignment" "developers" {
  hub_id         = var.hub_id
  principal_id   = var.developers_group
  principal_type = "Group"
  access         = "contributor"
  on_existing    = "adopt"
}

# The mode is this team's, the keys are the other one's.
resource "foundryhub_storage_auth" "hub" {
  hub_id     = var.hub_id
  depends_on = [foundryhub_role_assignment.developers]
}
