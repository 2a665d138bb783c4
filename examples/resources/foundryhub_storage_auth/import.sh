# By the ARM id of the hub. Nothing counts as changed from here, so that destroying changes nothing
# unless restore_to says what to leave behind.
terraform import foundryhub_storage_auth.hub '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1'
