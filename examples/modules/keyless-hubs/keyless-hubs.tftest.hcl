# What the module makes of its variables. Nothing is asked of Azure: `terraform test` and `tofu test` run this anywhere.

mock_provider "foundryhub" {
  mock_data "foundryhub_hub" {
    defaults = {
      storage_account_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/Shared"
    }
  }
}

variables {
  principals = {
    team     = { principal_id = "aaaaaaaa-0000-4000-8000-000000000001", principal_type = "Group" }
    auditor  = { principal_id = "aaaaaaaa-0000-4000-8000-000000000002" }
    training = { principal_id = "aaaaaaaa-0000-4000-8000-000000000003", principal_type = "ServicePrincipal" }
  }

  hubs = {
    sales = {
      hub_id       = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/sales"
      contributors = ["team"]
      readers      = ["auditor"]
    }
    support = {
      hub_id       = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/support"
      contributors = ["team"]
      scenarios    = { fine_tuning = ["training"], own_data = ["team"] }
    }
  }
}

run "hubs_that_share_an_account_share_roles" {
  command = plan

  assert {
    condition = toset(keys(foundryhub_role_assignment.this)) == toset([
      "shared/team/Storage Blob Data Contributor",
      "shared/team/Storage File Data Privileged Contributor",
      "shared/auditor/Storage Blob Data Reader",
      "shared/auditor/Storage File Data Privileged Reader",
      "shared/training/Storage Blob Data Contributor",
    ])
    error_message = "The roles are ${jsonencode(keys(foundryhub_role_assignment.this))}."
  }

  assert {
    condition     = foundryhub_storage_auth.this["sales"].access_check_principal_ids == toset([var.principals.team.principal_id, var.principals.auditor.principal_id])
    error_message = "Contributors and readers of a hub have to have their roles."
  }
}

run "hubs_use_identity_and_nobody_is_locked_out_by_default" {
  command = plan

  variables {
    access_check_stop_on = ["terraform_state"]
  }

  assert {
    condition = alltrue([
      for auth in foundryhub_storage_auth.this :
      auth.system_datastores_auth_mode == "identity" && auth.access_check == "enforce" &&
      contains(auth.access_check_stop_on, "terraform_state") && auth.grant_settle_time == "10m" && auth.restore_on_destroy
    ])
    error_message = "They are ${jsonencode(foundryhub_storage_auth.this)}."
  }
}

run "every_decision_reaches_every_hub" {
  command = plan

  variables {
    system_datastores_auth_mode = "accesskey"
    shared_access_key_enabled   = true
    access_check                = "warn"
    access_check_ignore_ids     = ["/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg"]
    grant_settle_time           = "0s"
    platform_grant_timeout      = "1m"
    restore_on_destroy          = false
    restore_to                  = { shared_access_key_enabled = true }
    on_existing                 = "adopt"
  }

  assert {
    condition = alltrue([
      for auth in foundryhub_storage_auth.this :
      auth.system_datastores_auth_mode == "accesskey" && auth.shared_access_key_enabled && auth.access_check == "warn" &&
      length(auth.access_check_ignore_ids) == 1 && auth.grant_settle_time == "0s" && auth.platform_grant_timeout == "1m" &&
      !auth.restore_on_destroy && auth.restore_to.shared_access_key_enabled
    ])
    error_message = "They are ${jsonencode(foundryhub_storage_auth.this)}."
  }

  assert {
    condition     = alltrue([for role in foundryhub_role_assignment.this : role.on_existing == "adopt"])
    error_message = "Roles of others are adopted."
  }
}

run "outputs_name_what_each_hub_asked_for" {
  assert {
    condition = toset(keys(output.hubs["support"].role_assignment_ids)) == toset([
      "shared/team/Storage Blob Data Contributor",
      "shared/team/Storage File Data Privileged Contributor",
      "shared/training/Storage Blob Data Contributor",
    ])
    error_message = "They are ${jsonencode(output.hubs["support"].role_assignment_ids)}."
  }

  assert {
    condition     = output.hubs["sales"].hub_id == var.hubs.sales.hub_id && output.hubs["sales"].system_datastores_auth_mode == "identity"
    error_message = "It is ${jsonencode(output.hubs["sales"])}."
  }
}

run "names_that_nobody_has_are_refused" {
  command = plan

  variables {
    principals = { auditor = { principal_id = "aaaaaaaa-0000-4000-8000-000000000002" } }
  }

  expect_failures = [data.foundryhub_hub.this["sales"], data.foundryhub_hub.this["support"]]
}

run "what_is_no_object_id_is_refused" {
  command = plan

  variables {
    principals = { team = { principal_id = "team@example.com" }, auditor = { principal_id = "auditor" }, training = { principal_id = "x" } }
  }

  expect_failures = [var.principals]
}

run "one_hub_under_two_names_is_refused" {
  command = plan

  variables {
    hubs = {
      one   = { hub_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/hub" }
      other = { hub_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourcegroups/RG/providers/Microsoft.MachineLearningServices/workspaces/hub" }
    }
  }

  expect_failures = [var.hubs]
}

run "scenarios_of_the_platform_are_refused" {
  command = plan

  variables {
    hubs = {
      hub = {
        hub_id    = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/hub"
        scenarios = { azure_search = ["team"] }
      }
    }
  }

  expect_failures = [var.hubs]
}
