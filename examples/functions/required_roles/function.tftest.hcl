run "roles_of_an_access_and_of_a_scenario" {
  command = plan

  assert {
    condition = output.prompt_flow == {
      "Storage Blob Data Contributor"            = "/providers/Microsoft.Authorization/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe"
      "Storage File Data Privileged Contributor" = "/providers/Microsoft.Authorization/roleDefinitions/69566ab7-960f-475b-8e7c-b3118f30c6bd"
    }
    error_message = "They are ${jsonencode(output.prompt_flow)}."
  }

  assert {
    condition     = join(", ", output.readers) == "Storage Blob Data Reader, Storage File Data Privileged Reader"
    error_message = "They are ${jsonencode(output.readers)}."
  }
}
