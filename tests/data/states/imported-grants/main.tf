terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

resource "foundryhub_role_assignment" "alice" {
  hub_id       = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
  principal_id = "aaaaaaaa-0000-4000-8000-000000000001"
  access       = "contributor"
}

resource "foundryhub_role_assignment" "bob" {
  scope                = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id         = "aaaaaaaa-0000-4000-8000-000000000002"
  role_definition_name = "Storage Blob Data Reader"
}

resource "foundryhub_role_assignment" "carol" {
  storage_account_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id       = "aaaaaaaa-0000-4000-8000-000000000003"
  scenario           = "own_data"
}
