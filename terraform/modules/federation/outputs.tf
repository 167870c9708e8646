output "github" {
  description = "Variables of the GitHub environment that the workflows read."
  value = {
    GCP_PROVIDER = google_iam_workload_identity_pool_provider.this.name
    GCP_DEPLOYER = google_service_account.deployer.email
    GCP_PLANNER  = google_service_account.planner.email
  }
}

output "condition" {
  description = "What a token must say to be let in."
  value       = google_iam_workload_identity_pool_provider.this.attribute_condition
}
