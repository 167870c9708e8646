output "dashboards" {
  description = "Dashboards, by file."
  value       = sort(keys(google_monitoring_dashboard.this))
}
