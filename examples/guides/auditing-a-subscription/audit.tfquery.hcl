# Hubs whose data can be reached with a shared key.
list "foundryhub_storage_auth" "on_keys" {
  provider = foundryhub
  limit    = 5000

  config {
    only_shared_key_enabled = true
  }
}

# Hubs that use keys which their account refuses: they have no access to their data.
list "foundryhub_storage_auth" "broken" {
  provider = foundryhub
  limit    = 5000

  config {
    broken = true
  }
}

variable "principal_id" {
  type = string
}

# What somebody may do on the storage accounts of all hubs.
list "foundryhub_role_assignment" "person" {
  provider = foundryhub
  limit    = 5000

  config {
    principal_id = var.principal_id
  }
}
