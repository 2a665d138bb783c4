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
  description  = "Works in the hub"
}

resource "foundryhub_role_assignment" "job" {
  storage_account_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id       = "cccccccc-0000-4000-8000-000000000001"
  principal_type     = "ServicePrincipal"
  scenario           = "fine_tuning"
}

resource "foundryhub_role_assignment" "bob" {
  scope                = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id         = "aaaaaaaa-0000-4000-8000-000000000002"
  role_definition_name = "Storage Blob Data Reader"
}

resource "foundryhub_role_assignment" "carol" {
  scope                = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id         = "aaaaaaaa-0000-4000-8000-000000000003"
  role_definition_name = "Reader of datasets"
}

resource "foundryhub_role_assignment" "dave" {
  storage_account_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id       = "aaaaaaaa-0000-4000-8000-000000000004"
  role_definition_id = "/subscriptions/22222222-2222-2222-2222-222222222222/providers/Microsoft.Authorization/roleDefinitions/dddddddd-0000-4000-8000-000000000001"
}
