# Both roles of the pair are in Azure already, and become one resource.
import {
  to = foundryhub_role_assignment.alice
  id = "${var.storage_account_id}|${var.principal_id}|contributor"
}

resource "foundryhub_role_assignment" "alice" {
  storage_account_id = var.storage_account_id
  principal_id       = var.principal_id
  access             = "contributor"
}
