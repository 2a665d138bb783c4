# A single role was an azurerm_role_assignment. An azapi_resource of that type moves as well.
moved {
  from = azurerm_role_assignment.old
  to   = foundryhub_role_assignment.alice
}

resource "foundryhub_role_assignment" "alice" {
  storage_account_id   = var.storage_account_id
  principal_id         = var.principal_id
  role_definition_name = "Storage Blob Data Reader"
}
