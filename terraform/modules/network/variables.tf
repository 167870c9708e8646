variable "region" {
  description = "Region of the subnet, its router and its address."
  type        = string
}

variable "cidr" {
  description = "Addresses of the subnet; Cloud Run wants at least a /26."
  type        = string
  default     = "10.20.0.0/26"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]), 32) <= 26
    error_message = "cidr must be a range of at least /26, as in 10.20.0.0/26."
  }
}
