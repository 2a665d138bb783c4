terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

locals {
  people = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"]
}

resource "foundryhub_role_assignment" "first" {
  for_each     = toset(local.people)
  hub_id       = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
  principal_id = each.value
  access       = "contributor"
}

resource "foundryhub_role_assignment" "second" {
  for_each     = toset(local.people)
  hub_id       = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub2"
  principal_id = each.value
  access       = "contributor"
}
