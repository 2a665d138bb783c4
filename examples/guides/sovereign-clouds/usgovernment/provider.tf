provider "foundryhub" {
  environment = "usgovernment"
}
