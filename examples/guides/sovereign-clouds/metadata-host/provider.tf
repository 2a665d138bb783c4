variable "metadata_host" {
  description = "The host that publishes the addresses of the cloud, such as management.example.com."
  type        = string
}

provider "foundryhub" {
  metadata_host = var.metadata_host
}
