terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

provider "foundryhub" {}

variable "hub_id" {
  description = "ARM id of the hub."
  type        = string
}

variable "principal_id" {
  description = "Object id of the group that works with the hub."
  type        = string
}

variable "mended_ids" {
  description = "ARM ids of what findings name that was dealt with and keeps its name, such as containers."
  type        = set(string)
  default     = []
}

variable "disable_keys" {
  description = "False for the first step, which switches the hub and leaves shared keys enabled."
  type        = bool
  default     = false
}

# Whether keys of the account were used lately. The hub itself uses them until it is switched.
data "foundryhub_storage_key_usage" "hub" {
  hub_id = var.hub_id
  days   = 7
}

# The people who work with the hub have their roles before anything changes.
resource "foundryhub_role_assignment" "people" {
  hub_id       = var.hub_id
  principal_id = var.principal_id
  access       = "contributor"
}

resource "foundryhub_storage_auth" "hub" {
  hub_id                    = var.hub_id
  shared_access_key_enabled = var.disable_keys ? false : null

  access_check               = "enforce"
  access_check_principal_ids = [var.principal_id]
  access_check_stop_on       = ["connection_holds_key", "datastore_holds_key", "terraform_state"]
  access_check_ignore_ids    = var.mended_ids

  depends_on = [foundryhub_role_assignment.people]

  lifecycle {
    precondition {
      condition     = !var.disable_keys || data.foundryhub_storage_key_usage.hub.total.verdict == "none_seen"
      error_message = "Keys may still be in use: ${jsonencode(data.foundryhub_storage_key_usage.hub.services)}"
    }
  }
}

# Read after what this run changes.
data "foundryhub_storage_access" "hub" {
  hub_id        = var.hub_id
  principal_ids = [var.principal_id]
  ignore_ids    = var.mended_ids

  depends_on = [foundryhub_storage_auth.hub]
}

# What has no access without shared keys, or may have none.
output "findings" {
  value = [for finding in data.foundryhub_storage_access.hub.findings : "${finding.severity}: ${finding.code}: ${finding.text}"]
}

# Every plan says what does not fit any more.
check "keyless" {
  assert {
    condition = !var.disable_keys || data.foundryhub_storage_access.hub.compliant
    error_message = format(
      "The hub is on %s, shared keys of its account are %s. Findings: %s",
      data.foundryhub_storage_access.hub.system_datastores_auth_mode,
      data.foundryhub_storage_access.hub.shared_access_key_enabled == false ? "disabled" : "not known to be disabled",
      jsonencode(data.foundryhub_storage_access.hub.findings[*].code),
    )
  }
}
