variable "storage_account_id" {
  type        = string
  description = "ARM id of the storage account."
}

data "foundryhub_storage_key_usage" "account" {
  storage_account_id = var.storage_account_id
  days               = 90
}

output "verdict" {
  description = "Whether keys were used: certain, possible or none_seen."
  value       = data.foundryhub_storage_key_usage.account.total.verdict
}

output "by_service" {
  description = "The services that were asked by key or SAS, and when last."
  value = {
    for service, usage in data.foundryhub_storage_key_usage.account.services : service => usage.last_key_use
    if usage.last_key_use != null
  }
}

# Once keys are off, every plan and apply warns of clients that still try to use them.
data "foundryhub_storage_key_usage" "yesterday" {
  storage_account_id = var.storage_account_id
  days               = 1
}

check "nobody_tries_keys" {
  assert {
    condition     = data.foundryhub_storage_key_usage.yesterday.total.failed == 0
    error_message = "Calls with keys were refused: ${jsonencode(data.foundryhub_storage_key_usage.yesterday.services)}"
  }
}
