# What one principal holds on a hub's storage account: TARGET|PRINCIPAL|ROLE. The target is the id of the hub or of the
# storage account, or any other scope; the role is contributor, reader, a scenario or the GUID of a role.
terraform import foundryhub_role_assignment.auditors '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1|11111111-1111-1111-1111-111111111111|reader'

# One assignment by its ARM id. For one that reaches into another tenant, append | and the tenant's id.
terraform import foundryhub_role_assignment.own '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1/providers/Microsoft.Authorization/roleAssignments/22222222-2222-2222-2222-222222222222'
