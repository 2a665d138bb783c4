# Against the emulator: the provider does what it does in Azure. Where the emulator is, and the hub in it, come from outside:
# . ./emulator.env, and TF_VAR_hub_id and TF_VAR_team.
run "hub_without_keys" {
  assert {
    condition     = foundryhub_storage_auth.hub.original.system_datastores_auth_mode == "accesskey"
    error_message = "The hub was on keys, and ${jsonencode(foundryhub_storage_auth.hub.original)} is what was found."
  }

  assert {
    condition     = length(foundryhub_role_assignment.team) == length(foundryhub_storage_auth.hub.access_check_principal_ids)
    error_message = "Everybody has their roles."
  }
}

run "nothing_is_left_to_do" {
  command = plan

  assert {
    condition     = foundryhub_storage_auth.hub.shared_access_key_enabled == false
    error_message = "Shared keys are enabled again."
  }
}
