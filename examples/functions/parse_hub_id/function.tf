variable "hub_id" {
  type        = string
  description = "ARM id of the hub."
}

locals {
  hub = provider::foundryhub::parse_hub_id(var.hub_id)
}

output "hub" {
  description = "Where the hub is."
  value       = "${local.hub.hub_name} in ${local.hub.resource_group_name}"
}
