# For roles that are assigned elsewhere, such as by azurerm_role_assignment or a module of your own.
output "roles_of_a_developer" {
  description = "Name and id of each role."
  value = {
    for role in provider::foundryhub::required_roles("contributor") : role.role_definition_name => role.role_definition_id
  }
}
