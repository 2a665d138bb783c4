terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

provider "foundryhub" {}

variable "storage_account_id" {
  description = "ARM id of the storage account of all these hubs."
  type        = string
}

variable "hub_id" {
  description = "ARM id of the hub with which shared keys are disabled."
  type        = string
}

variable "other_hub_ids" {
  description = "ARM ids of the other hubs on the account."
  type        = set(string)
}

variable "developers_group" {
  description = "Object id of the group that works with the data of all these hubs."
  type        = string
}

# Once for the account, not once for each hub.
resource "foundryhub_role_assignment" "developers" {
  storage_account_id = var.storage_account_id
  principal_id       = var.developers_group
  principal_type     = "Group"
  access             = "contributor"
}

# All hubs but one leave the keys alone.
resource "foundryhub_storage_auth" "others" {
  for_each = var.other_hub_ids
  hub_id   = each.key

  depends_on = [foundryhub_role_assignment.developers]
}

# The last one disables them.
resource "foundryhub_storage_auth" "last" {
  hub_id                    = var.hub_id
  shared_access_key_enabled = false
  access_check              = "enforce"

  depends_on = [foundryhub_storage_auth.others, foundryhub_role_assignment.developers]
}
