# Against a hub that is on keys.
run "hub_by_id_and_by_name" {
  command = plan

  assert {
    condition     = data.foundryhub_hub.by_id.id == data.foundryhub_hub.by_name.id
    error_message = "They are different hubs."
  }

  assert {
    condition     = output.mode == "accesskey"
    error_message = "The mode is ${output.mode}."
  }

  assert {
    condition     = endswith(output.storage_account_id, "/storageAccounts/sa1")
    error_message = "It is ${output.storage_account_id}."
  }

  # The account of the hub accepts shared keys, and the check says so.
  expect_failures = [check.no_shared_keys]
}
