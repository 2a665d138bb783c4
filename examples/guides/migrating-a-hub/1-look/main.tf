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

variable "contributors" {
  description = "Object ids of the users and groups who work with the hub's data."
  type        = set(string)
}

# Read in every plan. It changes nothing.
data "foundryhub_storage_access" "hub" {
  hub_id        = var.hub_id
  principal_ids = var.contributors
}

locals {
  errors = [for found in data.foundryhub_storage_access.hub.findings : found.text if found.severity == "error"]
}

# What is certain to break without keys.
check "nobody_is_locked_out" {
  assert {
    condition     = length(local.errors) == 0
    error_message = join("\n\n", local.errors)
  }

  assert {
    condition     = data.foundryhub_storage_access.hub.verified
    error_message = "Not all of it may be read by whoever runs this. The role Reader on the subscription allows it."
  }
}

# The same, and what may break.
output "findings" {
  value = [for found in data.foundryhub_storage_access.hub.findings : "${found.severity}: ${found.code}: ${found.text}"]
}
