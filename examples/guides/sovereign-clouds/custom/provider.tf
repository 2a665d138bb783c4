variable "resource_manager" {
  description = "URL of Azure Resource Manager in this cloud."
  type        = string
}

variable "authority" {
  description = "URL of Microsoft Entra in this cloud."
  type        = string
}

provider "foundryhub" {
  environment = "custom"

  endpoint = [{
    resource_manager_endpoint       = var.resource_manager
    active_directory_authority_host = var.authority
  }]
}
