resource "foundryhub_storage_auth" "hub" {
  hub_id                      = var.hub_id
  system_datastores_auth_mode = "identity"
  shared_access_key_enabled   = false

  # Whatever was found at first, and also for a hub that was imported.
  restore_to = {
    system_datastores_auth_mode = "accesskey"
    shared_access_key_enabled   = true
  }
}
