# A mode at an api-version whose published schema does not have it: azapi drops it and says nothing.

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

resource "azapi_update_resource" "hub" {
  type        = "Microsoft.MachineLearningServices/workspaces@2024-04-01"
  resource_id = "${var.group}/providers/Microsoft.MachineLearningServices/workspaces/gone-ws1"
  body = {
    properties = { systemDatastoresAuthMode = "identity" }
  }
}
