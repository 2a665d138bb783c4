variables {
  hub_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
}

run "parts_of_the_id" {
  command = plan

  assert {
    condition     = output.hub == "hub1 in rg1"
    error_message = "It is ${output.hub}."
  }

  assert {
    condition = local.hub == {
      subscription_id     = "00000000-0000-0000-0000-000000000000"
      resource_group_name = "rg1"
      resource_provider   = "Microsoft.MachineLearningServices"
      resource_type       = "workspaces"
      full_resource_type  = "Microsoft.MachineLearningServices/workspaces"
      resource_name       = "hub1"
      hub_name            = "hub1"
    }
    error_message = "The parts are ${jsonencode(local.hub)}."
  }
}
