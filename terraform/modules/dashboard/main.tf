# One page that shows whether the system works, written in infra/dashboards.

resource "google_monitoring_dashboard" "this" {
  for_each = fileset(var.folder, "*.json")

  dashboard_json = file("${var.folder}/${each.value}")
}
