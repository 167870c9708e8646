variable "name" {
  description = "Name of the topic, as the code publishes to it."
  type        = string
}

variable "region" {
  description = "The only region messages are stored in."
  type        = string
}

variable "schema" {
  description = "Protocol Buffers definition of the messages."
  type        = string
}

variable "table" {
  description = "Table of the history, as project.dataset.table."
  type        = string
}

variable "history" {
  description = "How rows are written, as infra/schemas/bigquery/tables.json says."
  type = object({
    use_topic_schema    = optional(bool, true)
    write_metadata      = optional(bool, false)
    drop_unknown_fields = optional(bool, true)
  })
  default = {}
}

variable "publishers" {
  description = "Who may publish: name of the function to its IAM member."
  type        = map(string)
}

variable "archive_bucket" {
  description = "Bucket for a second copy; null keeps none."
  type        = string
  default     = null
}

variable "dead_letter_topic" {
  description = "Where messages go that cannot be written."
  type        = string
}

variable "pubsub_agent" {
  description = "IAM member of the Pub/Sub service agent, which forwards dead letters."
  type        = string
}
