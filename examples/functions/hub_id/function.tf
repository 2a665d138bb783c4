variable "subscription_id" {
  type        = string
  description = "GUID of the subscription."
  default     = "00000000-0000-0000-0000-000000000000"
}

# By its id, which is what foundryhub_storage_auth and foundryhub_role_assignment name a hub by.
output "hub_id" {
  description = "ARM id of the hub."
  value       = provider::foundryhub::hub_id(var.subscription_id, "rg1", "hub1")
}
