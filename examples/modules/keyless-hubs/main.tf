# Which storage account a hub is on. It has to be known when the plan is made, since keys and roles belong to accounts.
data "foundryhub_hub" "this" {
  for_each = var.hubs
  id       = each.value.hub_id

  lifecycle {
    precondition {
      condition     = length(local.unknown_names[each.key]) == 0
      error_message = "Hub ${each.key} names principals that var.principals does not have: ${join(", ", local.unknown_names[each.key])}."
    }
  }
}

locals {
  # Who needs what on each hub: by access and scenario, the names of principals.
  purposes = {
    for name, hub in var.hubs : name => merge({ contributor = hub.contributors, reader = hub.readers }, hub.scenarios)
  }
  unknown_names = {
    for name, purposes in local.purposes : name => setsubtract(flatten(values(purposes)), keys(var.principals))
  }

  # The roles that come of it. Their keys are the same for hubs that share an account, and for purposes that share a role.
  roles_by_hub = {
    for name, purposes in local.purposes : name => merge([
      for purpose, principals in purposes : {
        for pair in setproduct(principals, provider::foundryhub::required_roles(purpose)) :
        "${basename(lower(data.foundryhub_hub.this[name].storage_account_id))}/${pair[0]}/${pair[1].role_definition_name}" => {
          storage_account_id   = data.foundryhub_hub.this[name].storage_account_id
          principal            = pair[0]
          role_definition_name = pair[1].role_definition_name
        }
      }
    ]...)
  }
  roles = merge(values(local.roles_by_hub)...)
}

# Each role once for each account, however many hubs ask for it.
resource "foundryhub_role_assignment" "this" {
  for_each             = local.roles
  storage_account_id   = each.value.storage_account_id
  principal_id         = var.principals[each.value.principal].principal_id
  principal_type       = var.principals[each.value.principal].principal_type
  role_definition_name = each.value.role_definition_name
  on_existing          = var.on_existing
}

# The hubs are switched once everybody has their roles. Those that share an account wait for each other before its shared
# keys are disabled.
resource "foundryhub_storage_auth" "this" {
  for_each                    = var.hubs
  hub_id                      = each.value.hub_id
  system_datastores_auth_mode = var.system_datastores_auth_mode
  shared_access_key_enabled   = var.shared_access_key_enabled

  access_check               = var.access_check
  access_check_principal_ids = [for name in setunion(each.value.contributors, each.value.readers) : var.principals[name].principal_id]
  access_check_stop_on       = var.access_check_stop_on
  access_check_ignore_ids    = var.access_check_ignore_ids
  grant_settle_time          = var.grant_settle_time
  platform_grant_timeout     = var.platform_grant_timeout

  restore_on_destroy = var.restore_on_destroy
  restore_to         = var.restore_to

  depends_on = [foundryhub_role_assignment.this]
}
