# Hubs that still sign in with shared keys. Write their configuration with
# terraform query -generate-config-out=hubs.tf
list "foundryhub_storage_auth" "on_keys" {
  provider = foundryhub
  limit    = 5000

  config {
    mode = "accesskey"
  }
}

# Hubs that have no access to their data, since their account refuses the keys that they use.
list "foundryhub_storage_auth" "broken" {
  provider = foundryhub

  config {
    resource_group_name = "rg1"
    broken              = true
  }
}
