# Whoever has the roles already, by their key of for_each: HUB_ID|OBJECT_ID|contributor.
import {
  to = foundryhub_role_assignment.contributor["aaaaaaaa-0000-4000-8000-000000000001"]
  id = "${var.hub_id}|aaaaaaaa-0000-4000-8000-000000000001|contributor"
}
