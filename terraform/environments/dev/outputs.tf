output "egress_ip" {
  description = "Address the executor's requests come from."
  value       = module.system.egress_ip
}

output "image" {
  description = "Image every service runs."
  value       = module.system.image
}

output "services" {
  description = "Functions and their addresses."
  value       = module.system.services
}

output "schedules" {
  description = "Jobs, when they call, and whom they tell what."
  value       = module.system.schedules
}

output "history" {
  description = "Where every topic is kept, and what can be asked."
  value       = module.system.history
}

output "buckets" {
  description = "Raw payloads, and the archive."
  value       = module.system.buckets
}

output "dead_letters" {
  description = "Subscription that holds what nobody could take."
  value       = module.system.dead_letters
}

output "missing_secrets" {
  description = "Secrets that still need a value, with the command that adds it."
  value       = module.system.missing_secrets
}

output "alerts" {
  description = "Every alert, by the name its section of docs/runbook.md has."
  value       = module.system.alerts
}

output "probes" {
  description = "Commands that measure how far the venues are."
  value       = module.system.probes
}

output "github" {
  description = "Variables for the GitHub environment."
  value       = module.system.github
}
