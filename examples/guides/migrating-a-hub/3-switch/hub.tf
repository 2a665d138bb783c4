resource "foundryhub_storage_auth" "hub" {
  hub_id                      = var.hub_id
  system_datastores_auth_mode = "identity"

  # Nothing is changed while a contributor lacks a role.
  access_check               = "enforce"
  access_check_principal_ids = var.contributors

  depends_on = [foundryhub_role_assignment.contributor]
}
