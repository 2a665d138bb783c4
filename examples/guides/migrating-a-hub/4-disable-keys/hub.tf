resource "foundryhub_storage_auth" "hub" {
  hub_id                      = var.hub_id
  system_datastores_auth_mode = "identity"
  shared_access_key_enabled   = false

  # Nothing is changed while a contributor lacks a role, or a role is so new that it may not work yet.
  access_check               = "enforce"
  access_check_principal_ids = var.contributors
  grant_settle_time          = "10m"

  depends_on = [foundryhub_role_assignment.contributor]
}
