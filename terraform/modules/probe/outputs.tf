output "run" {
  description = "Command that measures and waits for the result."
  value       = "gcloud run jobs execute ${google_cloud_run_v2_job.this.name} --region ${var.region} --wait"
}
