variable "email" {
  description = "Who is written to."
  type        = string

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.email))
    error_message = "email must be an address, as in oncall@example.com."
  }
}

variable "more_channels" {
  description = "Notification channels made elsewhere, by full name."
  type        = list(string)
}

variable "muted" {
  description = "Alerts that stay silent, by name."
  type        = list(string)
}

variable "execution" {
  description = "Name of the execution service."
  type        = string
}

variable "execution_email" {
  description = "Account of the execution service."
  type        = string
}

variable "trading_key" {
  description = "Name of the secret that holds the trading key."
  type        = string
}

variable "dead_letter_subscription" {
  description = "Subscription that holds dead letters."
  type        = string
}
