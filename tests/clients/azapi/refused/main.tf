# The same mode in an object of its own, which azapi refuses by its schema.

terraform {
  required_providers {
    azapi = {
      source = "Azure/azapi"
    }
  }
}

variable "group" {
  type = string
}

provider "azapi" {}

resource "azapi_resource" "hub" {
  type      = "Microsoft.MachineLearningServices/workspaces@2024-04-01"
  parent_id = var.group
  name      = "azapi-old"
  location  = "eastus"
  identity {
    type = "SystemAssigned"
  }
  body = {
    kind = "Hub"
    properties = {
      storageAccount           = "${var.group}/providers/Microsoft.Storage/storageAccounts/sa1"
      systemDatastoresAuthMode = "identity"
    }
  }
}
