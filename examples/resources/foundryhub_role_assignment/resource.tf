variable "hub_id" {
  type        = string
  description = "ARM id of the hub."
}

variable "developers" {
  type        = set(string)
  description = "Object ids of the users who work with the hub's data."
}

variable "auditors_group" {
  type        = string
  description = "Object id of a group that only reads."
}

# Storage Blob Data Contributor and Storage File Data Privileged Contributor
# on the hub's storage account, for each of them.
resource "foundryhub_role_assignment" "developer" {
  for_each       = var.developers
  hub_id         = var.hub_id
  principal_id   = each.value
  principal_type = "User"
  access         = "contributor"
}

# The two reader roles.
resource "foundryhub_role_assignment" "auditors" {
  hub_id         = var.hub_id
  principal_id   = var.auditors_group
  principal_type = "Group"
  access         = "reader"
}
