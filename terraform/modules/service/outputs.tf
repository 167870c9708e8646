output "name" {
  description = "Name of the service."
  value       = google_cloud_run_v2_service.this.name
}

output "uri" {
  description = "Address of the service, for those who may call it."
  value       = google_cloud_run_v2_service.this.uri
}

output "invokers" {
  description = "Who may call it."
  value       = { for name, grant in google_cloud_run_v2_service_iam_member.invoker : name => grant.member }
}

output "shape" {
  description = "What the tests look at: instances, processor, probes, egress and the entry point."
  value = {
    min_instances   = google_cloud_run_v2_service.this.template[0].scaling[0].min_instance_count
    max_instances   = google_cloud_run_v2_service.this.template[0].scaling[0].max_instance_count
    cpu_idle        = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].cpu_idle
    startup_probes  = length(google_cloud_run_v2_service.this.template[0].containers[0].startup_probe)
    liveness_probes = length(google_cloud_run_v2_service.this.template[0].containers[0].liveness_probe)
    egress          = [for access in google_cloud_run_v2_service.this.template[0].vpc_access : access.egress]
    account         = google_cloud_run_v2_service.this.template[0].service_account
    ingress         = google_cloud_run_v2_service.this.ingress
    image           = google_cloud_run_v2_service.this.template[0].containers[0].image
    environment     = { for env in google_cloud_run_v2_service.this.template[0].containers[0].env : env.name => env.value }
  }
}
