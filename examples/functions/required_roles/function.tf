# What a module needs to know that assigns roles by other means.
output "prompt_flow" {
  description = "Name and id of each role that somebody needs who works with PromptFlow."
  value = {
    for role in provider::foundryhub::required_roles("prompt_flow") :
    role.role_definition_name => role.role_definition_id
  }
}

output "readers" {
  description = "The roles of those who only read."
  value       = provider::foundryhub::required_roles("reader")[*].role_definition_name
}
