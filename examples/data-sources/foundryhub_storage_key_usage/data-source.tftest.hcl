# Against an account that nobody has used.
run "account_without_calls" {
  command = plan

  assert {
    condition     = output.verdict == "none_seen"
    error_message = "The verdict is ${output.verdict}."
  }

  assert {
    condition     = length(output.by_service) == 0
    error_message = "There are ${jsonencode(output.by_service)}."
  }

  assert {
    condition     = data.foundryhub_storage_key_usage.account.verified
    error_message = "The metrics were not read."
  }
}
