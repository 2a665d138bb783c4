# All hubs of the subscription that the provider is signed in to.
data "foundryhub_hubs" "all" {}

locals {
  # Chosen by what an apply does not change.
  hubs = {
    for hub in data.foundryhub_hubs.all.hubs : hub.id => hub
    if !startswith(hub.name, "sandbox-")
  }
}

output "on_keys" {
  description = "The hubs whose data can be reached with a shared key."
  value = [
    for hub in local.hubs : hub.name
    if hub.system_datastores_auth_mode == "accesskey" || hub.shared_access_key_enabled != false
  ]
}
