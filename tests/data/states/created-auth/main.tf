terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

resource "foundryhub_storage_auth" "keyless" {
  hub_id                      = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
  system_datastores_auth_mode = "identity"
  shared_access_key_enabled   = false
}

resource "foundryhub_storage_auth" "observed" {
  hub_id                      = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub2"
  system_datastores_auth_mode = "identity"
}
