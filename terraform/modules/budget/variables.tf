variable "billing_account" {
  description = "Billing account that pays for the project."
  type        = string
}

variable "project_id" {
  description = "Project the budget is for."
  type        = string
}

variable "project_number" {
  description = "Its number."
  type        = string
}

variable "usd" {
  description = "Dollars a month."
  type        = number

  validation {
    condition     = var.usd >= 1 && floor(var.usd) == var.usd
    error_message = "usd must be whole dollars, at least 1."
  }
}

variable "channels" {
  description = "Notification channels that are told; five at most."
  type        = list(string)
}
