output "egress_ip" {
  description = "Address the executor's requests come from."
  value       = module.network.egress_ip
}

output "image" {
  description = "Image every service runs."
  value       = module.image.image
}

output "services" {
  description = "Functions and their addresses."
  value       = { for name, function in module.function : name => function.uri }
}

output "schedules" {
  description = "Jobs, when they call, and whom they tell what."
  value       = { for name, job in module.schedule : name => job.shape }
}

output "history" {
  description = "Where every topic is kept, and what can be asked."
  value       = { tables = module.history.tables, views = module.history.views }
}

output "buckets" {
  description = "Raw payloads, and the archive."
  value       = { raw = module.raw.name, archive = module.archive.name }
}

output "dead_letters" {
  description = "Subscription that holds what nobody could take."
  value       = google_pubsub_subscription.dead_letters.name
}

output "missing_secrets" {
  description = "Secrets without a pinned version yet, with the command that adds a value."
  value = {
    for secret in local.secrets : secret => "gcloud secrets versions add ${secret} --project ${var.project_id} --data-file=-"
    if !contains(keys(var.secret_versions), secret)
  }
}

output "alerts" {
  description = "Every alert, by the name its section of docs/runbook.md has."
  value       = module.alerts.policies
}

output "probes" {
  description = "Commands that measure how far the venues are."
  value       = { for region, probe in module.probe : region => probe.run }
}

output "github" {
  description = "Variables for the GitHub environment; empty when no repository may deploy."
  value       = one(module.federation[*].github)
}
