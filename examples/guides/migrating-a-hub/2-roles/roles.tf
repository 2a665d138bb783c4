resource "foundryhub_role_assignment" "contributor" {
  for_each     = var.contributors
  hub_id       = var.hub_id
  principal_id = each.key
  access       = "contributor"
}
