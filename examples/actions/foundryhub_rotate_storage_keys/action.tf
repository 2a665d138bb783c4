variable "hub_id" {
  type = string
}

resource "foundryhub_storage_auth" "hub" {
  hub_id                    = var.hub_id
  shared_access_key_enabled = false
}

# Once nobody can use the old keys any more, make copies of them worthless: when this is created, and when
# shared_access_key_enabled changes. An update of anything else rotates nothing.
resource "terraform_data" "keys_disabled" {
  triggers_replace = foundryhub_storage_auth.hub.shared_access_key_enabled

  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.foundryhub_rotate_storage_keys.hub]
    }
  }
}

# At any other time: terraform apply -invoke=action.foundryhub_rotate_storage_keys.hub
action "foundryhub_rotate_storage_keys" "hub" {
  config {
    hub_id          = var.hub_id
    on_keys_enabled = "skip" # when shared keys are enabled again
  }
}
