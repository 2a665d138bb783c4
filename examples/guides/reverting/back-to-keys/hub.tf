resource "foundryhub_storage_auth" "hub" {
  hub_id                      = var.hub_id
  system_datastores_auth_mode = "accesskey"
  shared_access_key_enabled   = true
}
