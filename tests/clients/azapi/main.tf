# azapi on the three types: objects of its own, and changes to objects that are there.

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

variable "mode" {
  type    = string
  default = "accesskey"
}

variable "shared_key" {
  type    = bool
  default = true
}

variable "description" {
  type    = string
  default = "first"
}

variable "hub_description" {
  type    = string
  default = "A hub"
}

# The name of an assignment that is there on sa1.
variable "assignment" {
  type = string
}

provider "azapi" {}

locals {
  role    = "/providers/Microsoft.Authorization/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe"
  account = "${var.group}/providers/Microsoft.Storage/storageAccounts/sa1"
}

resource "azapi_resource" "account" {
  type      = "Microsoft.Storage/storageAccounts@2023-05-01"
  parent_id = var.group
  name      = "azapiaccount"
  location  = "eastus"
  body = {
    kind       = "StorageV2"
    sku        = { name = "Standard_LRS" }
    properties = { allowSharedKeyAccess = var.shared_key }
  }
}

resource "azapi_resource" "hub" {
  type      = "Microsoft.MachineLearningServices/workspaces@2025-06-01"
  parent_id = var.group
  name      = "azapi-hub"
  location  = "eastus"
  identity {
    type = "SystemAssigned"
  }
  body = {
    kind = "Hub"
    properties = {
      description              = var.hub_description
      storageAccount           = azapi_resource.account.id
      systemDatastoresAuthMode = var.mode
    }
  }
  response_export_values = ["properties.workspaceId"]
}

resource "azapi_resource" "assignment" {
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = azapi_resource.account.id
  name      = "aaaaaaaa-0000-4000-8000-0000000000aa"
  body = {
    properties = {
      roleDefinitionId = "${split("/resourceGroups/", var.group)[0]}${local.role}"
      principalId      = "aaaaaaaa-0000-4000-8000-000000000001"
      principalType    = "ServicePrincipal"
      description      = var.description
    }
  }
}

resource "azapi_update_resource" "account" {
  type        = "Microsoft.Storage/storageAccounts@2023-05-01"
  resource_id = local.account
  body = {
    properties = { allowSharedKeyAccess = var.shared_key }
  }
}

resource "azapi_update_resource" "hub" {
  type        = "Microsoft.MachineLearningServices/workspaces@2025-06-01"
  resource_id = "${var.group}/providers/Microsoft.MachineLearningServices/workspaces/test-ws1"
  body = {
    properties = { systemDatastoresAuthMode = var.mode }
  }
}

resource "azapi_update_resource" "assignment" {
  type        = "Microsoft.Authorization/roleAssignments@2022-04-01"
  resource_id = "${local.account}/providers/Microsoft.Authorization/roleAssignments/${var.assignment}"
  body = {
    properties = { description = var.description }
  }
}
