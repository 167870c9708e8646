variable "topic" {
  description = "Full name of the topic."
  type        = string
}

variable "topic_name" {
  description = "Short name of the topic."
  type        = string
}

variable "service" {
  description = "Function that is called."
  type        = string
}

variable "endpoint" {
  description = "Address of the service, without a path."
  type        = string
}

variable "pusher_email" {
  description = "Account that signs the calls."
  type        = string
}

variable "ack_deadline_seconds" {
  description = "How long one call may take."
  type        = number
  default     = 60

  validation {
    condition     = var.ack_deadline_seconds >= 10 && var.ack_deadline_seconds <= 600
    error_message = "ack_deadline_seconds must be 10 to 600."
  }
}

variable "retention" {
  description = "How long an undelivered message is kept."
  type        = string
  default     = "86400s"
}

variable "dead_letter_topic" {
  description = "Where messages go that were refused five times."
  type        = string
}

variable "pubsub_agent" {
  description = "IAM member of the Pub/Sub service agent."
  type        = string
}
