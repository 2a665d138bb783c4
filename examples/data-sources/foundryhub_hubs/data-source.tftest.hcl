# Against a subscription with one hub, which is on keys.
run "hubs_of_a_subscription" {
  command = plan

  assert {
    condition     = length(local.hubs) == 1
    error_message = "There are ${length(local.hubs)} hubs."
  }

  assert {
    condition     = join(", ", output.on_keys) == "hub1"
    error_message = "On keys are ${jsonencode(output.on_keys)}."
  }
}
