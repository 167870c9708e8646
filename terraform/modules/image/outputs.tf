output "image" {
  description = "Image every service runs; known once it is there."
  value       = var.image != null ? var.image : terraform_data.build[0].triggers_replace[0]
}

output "sources" {
  description = "How many files the image is made from."
  value       = length(local.sources)
}

output "repository" {
  description = "Registry the services pull from."
  value       = google_artifact_registry_repository.this.name
}

output "build_account" {
  description = "Account that builds; who deploys must be allowed to act as it."
  value       = google_service_account.build.name
}
