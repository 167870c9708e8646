output "policies" {
  description = "Every alert, by name."
  value       = sort(concat(keys(google_monitoring_alert_policy.threshold), keys(google_monitoring_alert_policy.absence)))
}

output "log_metrics" {
  description = "Metrics counted from log lines."
  value       = sort([for metric in google_logging_metric.this : metric.name])
}

output "channels" {
  description = "Who is told."
  value       = local.channels
}
