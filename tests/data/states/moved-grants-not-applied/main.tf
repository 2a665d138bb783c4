terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

resource "foundryhub_role_assignment" "alice" {
  storage_account_id   = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id         = "aaaaaaaa-0000-4000-8000-000000000001"
  role_definition_name = "Storage Blob Data Reader"
}

resource "foundryhub_role_assignment" "bob" {
  storage_account_id   = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id         = "aaaaaaaa-0000-4000-8000-000000000002"
  role_definition_name = "Storage Blob Data Reader"
}

resource "foundryhub_role_assignment" "carol" {
  storage_account_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id       = "aaaaaaaa-0000-4000-8000-000000000003"
  role_definition_id = "/subscriptions/22222222-2222-2222-2222-222222222222/providers/Microsoft.Authorization/roleDefinitions/dddddddd-0000-4000-8000-000000000001"
}

resource "foundryhub_role_assignment" "dave" {
  storage_account_id   = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id         = "aaaaaaaa-0000-4000-8000-000000000004"
  role_definition_name = "Storage Blob Data Reader"
}
