terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

resource "foundryhub_storage_auth" "first" {
  hub_id                    = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
  shared_access_key_enabled = false

  depends_on = [foundryhub_storage_auth.second]
}

resource "foundryhub_storage_auth" "second" {
  hub_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub2"
}
