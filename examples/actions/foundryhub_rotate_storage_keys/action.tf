variable "hub_id" {
  type = string
}

# Once nobody can use the old keys any more, make copies of them worthless.
resource "foundryhub_storage_auth" "hub" {
  hub_id                    = var.hub_id
  shared_access_key_enabled = false

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.foundryhub_rotate_storage_keys.hub]
    }
  }
}

# At any other time: terraform apply -invoke=action.foundryhub_rotate_storage_keys.hub
action "foundryhub_rotate_storage_keys" "hub" {
  config {
    hub_id          = var.hub_id
    on_keys_enabled = "skip" # when an update of the hub enables shared keys again
  }
}
