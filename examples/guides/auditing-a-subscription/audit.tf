data "foundryhub_hubs" "all" {}

# What has no access without shared keys, hub by hub.
data "foundryhub_storage_access" "hub" {
  for_each = toset(data.foundryhub_hubs.all.hubs[*].id)
  hub_id   = each.key
}

output "on_keys" {
  description = "Hubs whose data can be reached with a shared key."
  value       = [for hub in data.foundryhub_hubs.all.hubs : hub.id if hub.shared_access_key_enabled != false]
}

output "broken" {
  description = "Hubs that use keys which their account refuses."
  value = [
    for hub in data.foundryhub_hubs.all.hubs : hub.id
    if hub.system_datastores_auth_mode == "accesskey" && hub.shared_access_key_enabled == false
  ]
}

output "by_account" {
  description = "Storage accounts and the hubs on them. Keys belong to accounts."
  value       = { for hub in data.foundryhub_hubs.all.hubs : lower(hub.storage_account_id) => hub.name... }
}

output "findings" {
  description = "What has no access without shared keys, by hub."
  value = {
    for id, hub in data.foundryhub_storage_access.hub : id => [for found in hub.findings : "${found.severity}: ${found.code}: ${found.subject}"]
  }
}
