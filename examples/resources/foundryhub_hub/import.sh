# By the ARM id of the hub. The hub keeps its mode unless system_datastores_auth_mode is set.
terraform import foundryhub_hub.hub '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub-example'
