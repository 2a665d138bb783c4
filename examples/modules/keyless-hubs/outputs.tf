output "hubs" {
  description = "What became of each hub, by its name: its id, mode and storage account, whether that accepts shared keys, and the ids of the role assignments that it asked for, by storage account, principal and role."
  value = {
    for name, auth in foundryhub_storage_auth.this : name => {
      hub_id                      = auth.hub_id
      system_datastores_auth_mode = auth.system_datastores_auth_mode
      storage_account_id          = auth.storage_account_id
      shared_access_key_enabled   = auth.shared_access_key_enabled
      role_assignment_ids = {
        for key in keys(local.roles_by_hub[name]) : key => one(values(foundryhub_role_assignment.this[key].role_assignments)[*].id)
      }
    }
  }
}
