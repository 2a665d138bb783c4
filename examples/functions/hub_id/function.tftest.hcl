run "id_of_the_parts" {
  command = plan

  variables {
    subscription_id = "11111111-1111-1111-1111-111111111111"
  }

  assert {
    condition     = output.hub_id == "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1"
    error_message = "It is ${output.hub_id}."
  }
}
