variable "name" {
  description = "Name of the secret."
  type        = string
}

variable "readers" {
  description = "Who may read it: name of the function to its IAM member."
  type        = map(string)
}
