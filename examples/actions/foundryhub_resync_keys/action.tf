variable "hub_id" {
  type = string
}

# Whenever this value changes, because somebody has regenerated a key, the hub fetches it.
resource "terraform_data" "key_regenerated" {
  input = "2026-01-31"

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.foundryhub_resync_keys.hub]
    }
  }
}

# At any other time: terraform apply -invoke=action.foundryhub_resync_keys.hub
action "foundryhub_resync_keys" "hub" {
  config {
    hub_id = var.hub_id
  }
}
