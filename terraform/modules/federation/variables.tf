variable "project_id" {
  description = "Project that is deployed to."
  type        = string
}

variable "environment" {
  description = "GitHub environment whose runs may deploy."
  type        = string
}

variable "repository" {
  description = "Repository as OWNER/NAME."
  type        = string

  validation {
    condition     = can(regex("^[\\w.-]+/[\\w.-]+$", var.repository))
    error_message = "repository must be OWNER/NAME."
  }
}

variable "repository_id" {
  description = "Its number: gh api repos/OWNER/NAME --jq .id"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.repository_id))
    error_message = "repository_id is a number: gh api repos/OWNER/NAME --jq .id"
  }
}

variable "runs_as" {
  description = "Accounts the deployer runs services as: a name to the account's full name."
  type        = map(string)
}

variable "state_bucket" {
  description = "Bucket of Terraform's state, for plans to read; null when state is kept elsewhere."
  type        = string
}
