variable "project_id" {
  description = "Project of the registry."
  type        = string
}

variable "region" {
  description = "Region of the registry and of the build."
  type        = string
}

variable "root" {
  description = "Top of the repository."
  type        = string
}

variable "sources" {
  description = "Patterns, from the top of the repository, of all the image is made from."
  type        = list(string)
  default     = ["shared/**", "functions/**", "infra/image/**", "requirements.txt", "pyproject.toml"]
}

variable "source_bucket" {
  description = "Bucket that build contexts are staged in."
  type        = string
}

variable "image" {
  description = "An image built elsewhere; null builds it from this folder."
  type        = string
}
