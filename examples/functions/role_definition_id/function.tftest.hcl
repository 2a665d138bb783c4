variables {
  storage_account_id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
}

run "id_by_name" {
  command = plan

  assert {
    condition     = output.anywhere == "/providers/Microsoft.Authorization/roleDefinitions/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
    error_message = "It is ${output.anywhere}."
  }

  assert {
    condition     = output.in_the_subscription == "/subscriptions/11111111-1111-1111-1111-111111111111${output.anywhere}"
    error_message = "It is ${output.in_the_subscription}."
  }
}
