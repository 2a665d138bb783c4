variable "hub_id" {
  type        = string
  description = "ARM id of the hub."
}

variable "developers" {
  type        = set(string)
  description = "Object ids of the users who work with the hub's data."
}

# Everybody gets their roles first.
resource "foundryhub_role_assignment" "developer" {
  for_each       = var.developers
  hub_id         = var.hub_id
  principal_id   = each.value
  principal_type = "User"
  access         = "contributor"
}

# Then the hub signs in with identities, and the account takes no keys any more.
resource "foundryhub_storage_auth" "hub" {
  hub_id                      = var.hub_id
  system_datastores_auth_mode = "identity"
  shared_access_key_enabled   = false

  depends_on = [foundryhub_role_assignment.developer]
}
