# Against a hub that is on keys, where the principal has no roles.
run "hub_on_keys" {
  command = plan

  assert {
    condition     = contains(output.cannot_work_with_data, var.principal_id)
    error_message = "They are ${jsonencode(output.cannot_work_with_data)}."
  }

  assert {
    condition     = contains(output.findings, "error: principal_lacks_roles: ${var.principal_id}")
    error_message = "The findings are ${jsonencode(output.findings)}."
  }

  # The hub is on keys, and the check says so.
  expect_failures = [check.no_keys_needed]
}
