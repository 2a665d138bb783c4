terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

provider "foundryhub" {}

variable "resource_group_name" {
  description = "The resource group of the hub."
  type        = string
}

variable "storage_account_id" {
  description = "ARM id of the hub's storage account."
  type        = string
}

variable "key_vault_id" {
  description = "ARM id of the hub's key vault."
  type        = string
}

variable "contributors" {
  description = "Object ids of the users and groups who will work with the hub's data."
  type        = set(string)
}

# The account is there before the hub, so that everybody has their roles when the hub appears.
resource "foundryhub_role_assignment" "contributor" {
  for_each           = var.contributors
  storage_account_id = var.storage_account_id
  principal_id       = each.key
  access             = "contributor"
}

resource "foundryhub_hub" "hub" {
  name                = "hub-example"
  resource_group_name = var.resource_group_name
  location            = "eastus"
  friendly_name       = "Hub-example"
  storage_account_id  = var.storage_account_id
  key_vault_id        = var.key_vault_id

  # The account refuses shared keys before the hub exists. Leave this out where the account is managed elsewhere.
  system_datastores_auth_mode = "identity"
  shared_access_key_enabled   = false

  access_check               = "enforce"
  access_check_principal_ids = var.contributors

  depends_on = [foundryhub_role_assignment.contributor]
}

# Read once the hub is there, and in every plan from then on.
data "foundryhub_storage_access" "hub" {
  hub_id        = foundryhub_hub.hub.id
  principal_ids = var.contributors
  depends_on    = [foundryhub_hub.hub]
}

check "keyless" {
  assert {
    condition     = data.foundryhub_storage_access.hub.compliant
    error_message = join("\n\n", data.foundryhub_storage_access.hub.findings[*].text)
  }
}
