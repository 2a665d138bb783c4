variable "storage_account_id" {
  type        = string
  description = "ARM id of the storage account."
}

# For arguments that want an id, without a data source that looks it up.
output "anywhere" {
  description = "The role's id in the form without a subscription."
  value       = provider::foundryhub::role_definition_id("Storage Blob Data Reader")
}

# As Azure answers it, to compare with.
output "in_the_subscription" {
  description = "The role's id in the form of the account's subscription."
  value       = provider::foundryhub::role_definition_id("Storage Blob Data Reader", var.storage_account_id)
}
