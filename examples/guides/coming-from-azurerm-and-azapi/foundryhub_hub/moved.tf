# A hub was an azurerm_ai_foundry. An azapi_resource of that type moves as well. The hub keeps its mode until
# system_datastores_auth_mode is set.
moved {
  from = azurerm_ai_foundry.old
  to   = foundryhub_hub.hub
}

resource "foundryhub_hub" "hub" {
  name                = "hub2"
  resource_group_name = "rg1"
  location            = "eastus"
  storage_account_id  = var.storage_account_id
  key_vault_id        = var.key_vault_id
  tags                = { a = "1" }
}
