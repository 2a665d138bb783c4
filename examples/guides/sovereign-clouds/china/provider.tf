provider "foundryhub" {
  environment = "china"
}
