variable "hub_id" {
  type = string
}

variable "principal_id" {
  type = string
}

# Everybody with roles on the storage account of one hub.
list "foundryhub_role_assignment" "hub" {
  provider = foundryhub

  config {
    hub_id = var.hub_id
  }
}

# What one person may do on the storage accounts of all hubs.
list "foundryhub_role_assignment" "person" {
  provider = foundryhub

  config {
    principal_id = var.principal_id
  }
}
