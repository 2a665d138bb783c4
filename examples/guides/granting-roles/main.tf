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

variable "developers_group" {
  description = "Object id of the group that works with the hub's data."
  type        = string
}

variable "auditor" {
  description = "Object id of a user who only reads."
  type        = string
}

variable "pipeline" {
  description = "Object id of the service principal with which a pipeline reads and writes the hub's data."
  type        = string
}

variable "training_identity" {
  description = "Object id of the user-assigned managed identity that fine-tunes models."
  type        = string
}

# People, by groups where there are any. This covers ai_speech, prompt_flow and own_data.
resource "foundryhub_role_assignment" "developers" {
  hub_id         = var.hub_id
  principal_id   = var.developers_group
  principal_type = "Group"
  access         = "contributor"
}

resource "foundryhub_role_assignment" "auditor" {
  hub_id         = var.hub_id
  principal_id   = var.auditor
  principal_type = "User"
  access         = "reader"
}

# A pipeline that works with data. One that only runs Terraform needs no role on data.
resource "foundryhub_role_assignment" "pipeline" {
  hub_id         = var.hub_id
  principal_id   = var.pipeline
  principal_type = "ServicePrincipal"
  access         = "contributor"
}

# What one kind of work takes, and no more.
resource "foundryhub_role_assignment" "training" {
  hub_id         = var.hub_id
  principal_id   = var.training_identity
  principal_type = "ServicePrincipal"
  scenario       = "fine_tuning"
}
