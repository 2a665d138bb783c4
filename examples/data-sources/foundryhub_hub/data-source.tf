variable "hub_id" {
  type        = string
  description = "ARM id of the hub."
}

data "foundryhub_hub" "by_id" {
  id = var.hub_id
}

# In the subscription of the provider block, unless subscription_id is set.
data "foundryhub_hub" "by_name" {
  name                = "hub1"
  resource_group_name = "rg1"
}

output "mode" {
  description = "How the hub's system datastores sign in."
  value       = data.foundryhub_hub.by_id.system_datastores_auth_mode
}

output "storage_account_id" {
  description = "The storage account whose data the hub's users work with."
  value       = data.foundryhub_hub.by_name.storage_account_id
}

# Every plan and apply warns while the account accepts shared keys.
check "no_shared_keys" {
  assert {
    condition     = data.foundryhub_hub.by_id.shared_access_key_enabled == false
    error_message = "The storage account of ${data.foundryhub_hub.by_id.name} accepts shared keys."
  }
}
