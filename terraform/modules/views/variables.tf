variable "project_id" {
  description = "Project of the dataset."
  type        = string
}

variable "dataset" {
  description = "Dataset of the views."
  type        = string
}

variable "folder" {
  description = "Folder the files are in."
  type        = string
}

variable "views" {
  description = "Name to file and description."
  type        = map(object({ file = string, description = string }))
}
