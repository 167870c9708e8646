variable "folder" {
  description = "Folder of dashboards, one JSON file each."
  type        = string
}
