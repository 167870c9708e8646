output "name" {
  description = "Name of the bucket, once its writers may write."
  value       = google_storage_bucket.this.name
  depends_on  = [google_storage_bucket_iam_member.writer]
}

output "lifecycle" {
  description = "What happens to objects, in order."
  value       = [for rule in google_storage_bucket.this.lifecycle_rule : one(rule.action[*].type)]
}
