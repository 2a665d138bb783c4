# Without Azure and without an emulator. Configuration is checked by the real provider, so that ids have to be ids.
mock_provider "foundryhub" {}

variables {
  hub_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
  team   = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"]
}

run "everybody_has_their_roles" {
  command = plan

  assert {
    condition     = alltrue([for role in foundryhub_role_assignment.team : role.access == "contributor"]) && length(foundryhub_role_assignment.team) == 2
    error_message = "The roles are ${jsonencode(foundryhub_role_assignment.team)}."
  }

  assert {
    condition     = foundryhub_storage_auth.hub.system_datastores_auth_mode == "identity" && !foundryhub_storage_auth.hub.shared_access_key_enabled
    error_message = "The hub is to be without keys."
  }
}

# What a mock makes up is random. This says what matters.
run "the_account_is_that_of_the_hub" {
  override_resource {
    target = foundryhub_storage_auth.hub
    values = {
      storage_account_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
    }
  }

  assert {
    condition     = endswith(output.storage_account_id, "/storageAccounts/sa1")
    error_message = "It is ${output.storage_account_id}."
  }
}

run "a_team_of_nobody_is_refused" {
  command = plan

  variables {
    team = []
  }

  expect_failures = [var.team]
}
