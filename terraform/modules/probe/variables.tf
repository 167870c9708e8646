variable "region" {
  description = "Where to measure from."
  type        = string
}

variable "image" {
  description = "Image that holds the probe."
  type        = string
}

variable "account_email" {
  description = "Account the probe runs as; it needs no rights."
  type        = string
}
