output "shape" {
  description = "What the tests look at."
  value = {
    uri      = google_cloud_scheduler_job.this.http_target[0].uri
    cron     = google_cloud_scheduler_job.this.schedule
    audience = google_cloud_scheduler_job.this.http_target[0].oidc_token[0].audience
    account  = google_cloud_scheduler_job.this.http_target[0].oidc_token[0].service_account_email
    retries  = google_cloud_scheduler_job.this.retry_config[0].retry_count
  }
}
