# A module of one's own: a hub without keys, and who works with it.

terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

variable "hub_id" {
  description = "ARM id of the hub."
  type        = string
}

variable "team" {
  description = "Object ids of those who work with the hub's data."
  type        = set(string)

  validation {
    condition     = length(var.team) > 0
    error_message = "Somebody has to work with it."
  }
}

resource "foundryhub_role_assignment" "team" {
  for_each     = var.team
  hub_id       = var.hub_id
  principal_id = each.key
  access       = "contributor"
}

resource "foundryhub_storage_auth" "hub" {
  hub_id                      = var.hub_id
  system_datastores_auth_mode = "identity"
  shared_access_key_enabled   = false
  access_check_principal_ids  = var.team
  depends_on                  = [foundryhub_role_assignment.team]
}

output "storage_account_id" {
  description = "ARM id of the storage account that refuses keys now."
  value       = foundryhub_storage_auth.hub.storage_account_id
}
