# The mode was set by an azapi_update_resource of the workspace.
moved {
  from = azapi_update_resource.old
  to   = foundryhub_storage_auth.hub
}

resource "foundryhub_storage_auth" "hub" {
  hub_id                      = var.hub_id
  system_datastores_auth_mode = "identity"
}
