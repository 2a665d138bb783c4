# Moves one hub from shared keys to Microsoft Entra authorization, and gives the people who work in
# it the roles they need from then on.

terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

provider "foundryhub" {}

locals {
  hub_id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-ai/providers/Microsoft.MachineLearningServices/workspaces/contoso-hub"

  # Object ids, as `az ad user show --id anna@contoso.com --query id -o tsv` prints them.
  data_scientist = "aaaaaaaa-0000-4000-8000-000000000001"
  auditor        = "aaaaaaaa-0000-4000-8000-000000000002"
}

resource "foundryhub_role_assignment" "data_scientist" {
  hub_id       = local.hub_id
  principal_id = local.data_scientist
  access       = "contributor"
}

resource "foundryhub_role_assignment" "auditor" {
  hub_id       = local.hub_id
  principal_id = local.auditor
  access       = "reader"
}

resource "foundryhub_storage_auth" "hub" {
  hub_id                      = local.hub_id
  system_datastores_auth_mode = "identity"
  shared_access_key_enabled   = false

  # The plan warns if one of them would lose access. A pair of roles for reading is enough.
  access_check_principal_ids = [local.data_scientist, local.auditor]

  # The roles come first, so that nobody is locked out when the keys go.
  depends_on = [
    foundryhub_role_assignment.data_scientist,
    foundryhub_role_assignment.auditor,
  ]
}
