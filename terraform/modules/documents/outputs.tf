output "database" {
  description = "Name of the database, once its users may use it."
  value       = google_firestore_database.this.name
  depends_on  = [google_project_iam_member.user]
}

output "users" {
  description = "Functions that may read and write, and on which condition."
  value       = { for name, grant in google_project_iam_member.user : name => one(grant.condition[*].expression) }
}

output "ttl" {
  description = "Collections whose documents end."
  value       = { for name, field in google_firestore_field.ttl : name => field.field }
}
