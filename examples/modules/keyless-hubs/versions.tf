# Functions of providers came with Terraform 1.8 and OpenTofu 1.7, mock_provider with Terraform 1.7 and OpenTofu 1.8.
terraform {
  required_version = ">= 1.8"

  required_providers {
    foundryhub = {
      source = "foundryhub/foundryhub"
    }
  }
}
