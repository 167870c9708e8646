variable "name" {
  description = "Name of the job."
  type        = string
}

variable "description" {
  description = "What the job is for."
  type        = string
}

variable "region" {
  description = "Region of the job."
  type        = string
}

variable "cron" {
  description = "Five fields, a minute at the finest."
  type        = string

  validation {
    condition     = length(split(" ", var.cron)) == 5
    error_message = "cron must have five fields: minute, hour, day of month, month, day of week."
  }
}

variable "time_zone" {
  description = "Where the cron line is read."
  type        = string
  default     = "America/New_York"
}

variable "paused" {
  description = "Whether the job rests."
  type        = bool
  default     = false
}

variable "deadline_seconds" {
  description = "How long one call may take; below the distance of two calls."
  type        = number
  default     = 55

  validation {
    condition     = var.deadline_seconds >= 15 && var.deadline_seconds <= 1800
    error_message = "deadline_seconds must be 15 to 1800."
  }
}

variable "endpoint" {
  description = "Address of the service, without a path."
  type        = string
}

variable "caller_email" {
  description = "Account that signs the call."
  type        = string
}

variable "query" {
  description = "What the service is told, as the query of the address; empty for nothing."
  type        = string
  default     = ""
}
