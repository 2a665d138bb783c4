# Three hubs, two of them on one storage account, and the people and identities that work with them.

terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

provider "foundryhub" {}

variable "disable_keys" {
  description = "False for the first apply, which assigns the roles and switches the hubs."
  type        = bool
  default     = false
}

locals {
  workspaces = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-ai/providers/Microsoft.MachineLearningServices/workspaces"
}

module "keyless_hubs" {
  source = "../"

  principals = {
    data_science = { principal_id = "aaaaaaaa-0000-4000-8000-000000000003", principal_type = "Group" }
    auditor      = { principal_id = "aaaaaaaa-0000-4000-8000-000000000002", principal_type = "User" }
    training     = { principal_id = "aaaaaaaa-0000-4000-8000-000000000004", principal_type = "ServicePrincipal" }
  }

  hubs = {
    sales = {
      hub_id       = "${local.workspaces}/sales"
      contributors = ["data_science"]
      readers      = ["auditor"]
    }
    support = {
      hub_id       = "${local.workspaces}/support"
      contributors = ["data_science"]
      scenarios    = { fine_tuning = ["training"], own_data = ["data_science"] }
    }
    research = {
      hub_id       = "${local.workspaces}/research"
      contributors = ["data_science"]
    }
  }

  shared_access_key_enabled = var.disable_keys ? false : null
}

output "hubs" {
  description = "What became of each hub."
  value       = module.keyless_hubs.hubs
}
