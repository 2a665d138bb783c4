# All hubs of a resource group. Write their configuration with
# terraform query -generate-config-out=hubs.tf
list "foundryhub_hub" "all" {
  provider = foundryhub
  limit    = 1000

  config {
    resource_group_name = "rg1"
  }
}
