terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

resource "foundryhub_role_assignment" "whole" {
  hub_id       = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
  principal_id = "aaaaaaaa-0000-4000-8000-000000000001"
  access       = "contributor"
}

resource "foundryhub_role_assignment" "half" {
  hub_id       = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
  principal_id = "aaaaaaaa-0000-4000-8000-000000000002"
  access       = "contributor"
}
