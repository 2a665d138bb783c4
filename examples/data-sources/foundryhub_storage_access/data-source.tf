variable "hub_id" {
  type        = string
  description = "ARM id of the hub."
}

variable "principal_id" {
  type        = string
  description = "Object id of a group whose members work with the hub's data."
}

data "foundryhub_storage_access" "hub" {
  hub_id        = var.hub_id
  principal_ids = [var.principal_id]
}

locals {
  errors = [for found in data.foundryhub_storage_access.hub.findings : found if found.severity == "error"]
}

# Every plan and apply warns while this is not so, and changes nothing.
check "no_keys_needed" {
  assert {
    condition = data.foundryhub_storage_access.hub.compliant
    error_message = join("\n\n", concat(
      [format(
        "The hub is on %s, and shared keys of its account are %s.",
        data.foundryhub_storage_access.hub.system_datastores_auth_mode,
        data.foundryhub_storage_access.hub.shared_access_key_enabled == false ? "off" : "not known to be off",
      )],
      local.errors[*].text,
    ))
  }

  assert {
    condition     = data.foundryhub_storage_access.hub.verified
    error_message = "Not all of it may be read by whoever runs this. The role Reader on the subscription allows it."
  }
}

output "cannot_work_with_data" {
  description = "Required principals and identities of the hub that lack roles."
  value = [
    for principal in data.foundryhub_storage_access.hub.principals : principal.principal_id
    if contains(["partial", "none"], principal.access) && (principal.is_required || principal.is_hub_identity)
  ]
}

output "findings" {
  description = "What has no access without shared keys."
  value       = [for found in data.foundryhub_storage_access.hub.findings : "${found.severity}: ${found.code}: ${found.subject}"]
}
