variable "principals" {
  description = "Who works with the hubs, by names of your choice: object ids of users, groups, service principals and managed identities."
  type = map(object({
    principal_id   = string
    principal_type = optional(string)
  }))

  validation {
    condition     = alltrue([for it in var.principals : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", it.principal_id))])
    error_message = "Each principal_id is an object id, a GUID. `az ad user show --query id` and `az ad sp show --query id` print them."
  }

  validation {
    condition     = alltrue([for it in var.principals : contains(["User", "Group", "ServicePrincipal"], coalesce(it.principal_type, "User"))])
    error_message = "Each principal_type is User, Group or ServicePrincipal, which managed identities are, too."
  }
}

variable "hubs" {
  description = "The hubs, by names of your choice, each with its ARM id and the names of the principals that work with it: contributors, readers, and by scenario those who need what the scenario takes."
  type = map(object({
    hub_id       = string
    contributors = optional(set(string), [])
    readers      = optional(set(string), [])
    scenarios    = optional(map(set(string)), {})
  }))

  validation {
    condition     = length(distinct([for hub in var.hubs : lower(hub.hub_id)])) == length(var.hubs)
    error_message = "Each hub is there once."
  }

  validation {
    condition = alltrue(flatten([
      for hub in var.hubs : [
        for scenario in keys(hub.scenarios) : contains(["ai_speech", "fine_tuning", "prompt_flow", "own_data"], scenario)
      ]
    ]))
    error_message = "Scenarios are ai_speech, fine_tuning, prompt_flow and own_data. The roles of model_as_a_service and azure_search are assigned by the platform."
  }
}

variable "system_datastores_auth_mode" {
  description = "How the hubs sign in to their storage accounts: `identity`, or `accesskey` to go back to shared keys."
  type        = string
  default     = "identity"
  nullable    = false

  validation {
    condition     = contains(["identity", "accesskey"], var.system_datastores_auth_mode)
    error_message = "The mode is identity or accesskey."
  }
}

variable "shared_access_key_enabled" {
  description = "Whether the storage accounts accept shared keys. Null leaves them as they are: the first step of a migration."
  type        = bool
  default     = null
}

variable "access_check" {
  description = "What to do when somebody would lose access, or something still needs keys: `enforce` (change nothing, or leave shared keys enabled), `warn` or `off`."
  type        = string
  default     = "enforce"
  nullable    = false

  validation {
    condition     = contains(["enforce", "warn", "off"], var.access_check)
    error_message = "The check is enforce, warn or off."
  }
}

variable "access_check_stop_on" {
  description = "Codes of findings that stop `enforce`, too, such as `terraform_state`."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "access_check_ignore_ids" {
  description = "ARM ids of what findings are about that were dealt with, or are accepted."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "grant_settle_time" {
  description = "How old the youngest role assignment must be before shared keys are disabled. Azure can take ten minutes to let new ones work."
  type        = string
  default     = "10m"
  nullable    = false
}

variable "platform_grant_timeout" {
  description = "How long to wait for what the platform does once a hub is switched, and for other hubs of its account."
  type        = string
  default     = "5m"
  nullable    = false
}

variable "restore_on_destroy" {
  description = "Whether destroying puts back the mode and the shared keys that were changed here."
  type        = bool
  default     = true
  nullable    = false
}

variable "restore_to" {
  description = "What destroying leaves behind instead, the same for all hubs."
  type = object({
    system_datastores_auth_mode = optional(string)
    shared_access_key_enabled   = optional(bool)
  })
  default = null
}

variable "on_existing" {
  description = "What to do about a role that somebody else has assigned already: `fail`, or `adopt` it, which leaves it alone from then on."
  type        = string
  default     = "fail"
  nullable    = false

  validation {
    condition     = contains(["fail", "adopt"], var.on_existing)
    error_message = "It is fail or adopt."
  }
}
