terraform {
  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}

provider "foundryhub" {}

data "foundryhub_hubs" "all" {}

locals {
  # Every hub, whatever its mode: the mode is what the apply changes.
  hubs = { for hub in data.foundryhub_hubs.all.hubs : hub.id => hub }
}

# Hubs that are in the state already are left out by the engine.
import {
  for_each = local.hubs
  to       = foundryhub_storage_auth.hub[each.key]
  id       = each.key
}

resource "foundryhub_storage_auth" "hub" {
  for_each = local.hubs

  hub_id                      = each.key
  system_datastores_auth_mode = "identity"
}
