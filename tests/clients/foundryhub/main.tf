# Hubs that never needed keys: one turns the keys of its account off, the other has an account on which they were off.

terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

variable "group" {
  type = string
}

provider "foundryhub" {}

locals {
  group = split("/", var.group)[4]
}

resource "foundryhub_hub" "hub" {
  for_each            = { made-hub = "sa2", keyless-hub = "sa3" }
  name                = each.key
  resource_group_name = local.group
  location            = "eastus"
  storage_account_id  = "${var.group}/providers/Microsoft.Storage/storageAccounts/${each.value}"
  key_vault_id        = "${var.group}/providers/Microsoft.KeyVault/vaults/kv1"
  access_check        = "off"

  system_datastores_auth_mode = "identity"
  shared_access_key_enabled   = each.key == "made-hub" ? false : null
}
