terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

# Signs in by the ARM_* variables of azurerm and azapi when they are set, and as the user of the
# Azure CLI otherwise.
provider "foundryhub" {}
