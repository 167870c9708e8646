variable "name" {
  description = "Name of the bucket; unique in the whole of Google Cloud."
  type        = string
}

variable "region" {
  description = "Region of the bucket."
  type        = string
}

variable "writers" {
  description = "Who may write: a name to an IAM member."
  type        = map(string)
  default     = {}
}

variable "writer_role" {
  description = "What writers may do."
  type        = string
  default     = "roles/storage.objectUser"

  validation {
    condition     = can(regex("^roles/storage\\.(objectUser|objectCreator|objectAdmin)$", var.writer_role))
    error_message = "writer_role must be a role on objects, not on the bucket."
  }
}

variable "nearline_after_days" {
  description = "Age at which objects move to the cheaper class; null never."
  type        = number
  default     = null
}

variable "delete_after_days" {
  description = "Age at which objects are deleted; null never."
  type        = number
  default     = null
}

variable "undelete_days" {
  description = "How long deleted objects can be brought back (0, or 7 to 90)."
  type        = number
  default     = 7
}

variable "force_destroy" {
  description = "Whether destroying the bucket deletes what is in it."
  type        = bool
}
