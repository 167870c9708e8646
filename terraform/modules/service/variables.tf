variable "name" {
  description = "Name of the folder below functions/."
  type        = string
}

variable "description" {
  description = "What the service does, in a few words."
  type        = string
}

variable "account_email" {
  description = "Account the service runs as."
  type        = string
}

variable "region" {
  description = "Region of the service."
  type        = string
}

variable "image" {
  description = "Image to run."
  type        = string
}

variable "command" {
  description = "What the image runs; empty keeps the image's own, which is functions-framework."
  type        = list(string)
  default     = []
}

variable "always_on" {
  description = "One instance at all times with its processor, instead of none between calls."
  type        = bool
  default     = false
}

variable "cpu" {
  description = "Processors; below 1 an instance takes one call at a time."
  type        = string
  default     = "1"
}

variable "memory" {
  description = "Memory limit, as in 512Mi."
  type        = string
  default     = "512Mi"
}

variable "concurrency" {
  description = "Calls an instance takes at the same time."
  type        = number
  default     = 1
}

variable "timeout_seconds" {
  description = "Longest time for one call."
  type        = number
  default     = 60

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 3600
    error_message = "timeout_seconds must be 1 to 3600."
  }
}

variable "environment" {
  description = "Plain settings."
  type        = map(string)
}

variable "startup_path" {
  description = "Asked until it answers when an instance of an always-on service starts."
  type        = string
  default     = "/health"
}

variable "liveness_path" {
  description = "Asked for as long as an instance of an always-on service lives."
  type        = string
  default     = "/health"
}

variable "network" {
  description = "Network to go out through; null goes out directly."
  type        = string
  default     = null
}

variable "subnetwork" {
  description = "Subnet to go out through; null goes out directly."
  type        = string
  default     = null
}

variable "invokers" {
  description = "Who may call it: a name to an IAM member."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for m in values(var.invokers) : !contains(["allUsers", "allAuthenticatedUsers"], m)])
    error_message = "no service is public: name the account that calls it."
  }
}

variable "protect" {
  description = "Whether Terraform refuses to destroy it."
  type        = bool
}
