variable "project_id" {
  description = "Project of the database."
  type        = string
}

variable "region" {
  description = "Where the database is; it cannot be moved."
  type        = string
}

variable "users" {
  description = "Who may read and write: name of the function to its IAM member."
  type        = map(string)
}

variable "ttl" {
  description = "Collection to the timestamp field after which its documents may be deleted."
  type        = map(string)
}

variable "unindexed" {
  description = "Fields that are large or ever growing and that nothing asks for."
  type        = list(object({ collection = string, field = string }))
}

variable "indexes" {
  description = "Composite indexes: a name to its collection and fields."
  type = map(object({
    collection = string
    fields     = list(object({ field = string, order = string }))
  }))
}

variable "protect" {
  description = "Whether the database is kept against deletion, with recovery to any minute and daily backups."
  type        = bool
}
