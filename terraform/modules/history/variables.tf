variable "project_id" {
  description = "Project of the dataset."
  type        = string
}

variable "region" {
  description = "Region of the dataset."
  type        = string
}

variable "dataset" {
  description = "Name of the dataset."
  type        = string
}

variable "schemas" {
  description = "Folder of the generated table schemas."
  type        = string
}

variable "views" {
  description = "Folder of views.json and the SQL it names."
  type        = string
}

variable "readers" {
  description = "Who may query: a name to an IAM member."
  type        = map(string)
}

variable "expire_after_days" {
  description = "Tables whose old partitions are dropped, with their age in days."
  type        = map(number)

  validation {
    condition     = alltrue([for days in values(var.expire_after_days) : days >= 1])
    error_message = "days must be at least 1."
  }
}

variable "pubsub_agent" {
  description = "IAM member of the Pub/Sub service agent, which writes the rows."
  type        = string
}

variable "protect" {
  description = "Whether Terraform refuses to destroy tables."
  type        = bool
}
