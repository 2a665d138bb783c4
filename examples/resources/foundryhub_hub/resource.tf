variable "resource_group_name" {
  type        = string
  description = "The resource group of the hub."
}

variable "storage_account_id" {
  type        = string
  description = "ARM id of the hub's storage account."
}

variable "key_vault_id" {
  type        = string
  description = "ARM id of the hub's key vault."
}

variable "developers" {
  type        = set(string)
  description = "Object ids of the users who work with the hub's data."
}

# Everybody gets their roles on the storage account, which is there before the hub.
resource "foundryhub_role_assignment" "developer" {
  for_each           = var.developers
  storage_account_id = var.storage_account_id
  principal_id       = each.value
  principal_type     = "User"
  access             = "contributor"
}

# The hub signs in to its storage account with its managed identity from the start. To have the account refuse shared keys
# from then on, add shared_access_key_enabled = false: the account is changed before the hub is created.
resource "foundryhub_hub" "hub" {
  name                = "hub-example"
  resource_group_name = var.resource_group_name
  location            = "eastus"
  friendly_name       = "Hub-example"
  description         = "A hub that never needed shared keys."

  storage_account_id          = var.storage_account_id
  key_vault_id                = var.key_vault_id
  system_datastores_auth_mode = "identity"

  identity = {
    type = "SystemAssigned"
  }

  managed_network = {
    isolation_mode = "AllowInternetOutbound"
  }

  tags = {
    purpose = "demo"
  }

  depends_on = [foundryhub_role_assignment.developer]
}
