output "id" {
  description = "Full name of the secret."
  value       = google_secret_manager_secret.this.id
}

output "name" {
  description = "Short name of the secret, once its readers may read it."
  value       = google_secret_manager_secret.this.secret_id
  depends_on  = [google_secret_manager_secret_iam_member.reader]
}

output "readers" {
  description = "Functions that may read it."
  value       = sort(keys(google_secret_manager_secret_iam_member.reader))
}
