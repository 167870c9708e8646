# Development: everything can be destroyed, asks for little edge on paper, and can measure regions.

module "system" {
  source          = "../../modules/system"
  project_id      = var.project_id
  region          = var.region
  protect         = false
  profile         = "ANY_EDGE"
  settings        = var.settings
  leagues         = var.leagues
  schedules       = var.schedules
  kalshi_key_id   = var.kalshi_key_id
  secret_versions = var.secret_versions
  live_orders     = var.live_orders
  image           = var.image
  paused          = var.paused
  raw_days        = 30
  probe_regions   = ["us-east4", "us-east5", "us-east1", "us-central1"]
  alert_email     = var.alert_email
  analysts        = var.operators
  operators       = var.operators
  billing_account = var.billing_account
  budget_usd      = 90
  github          = var.github == null ? null : merge(var.github, { environment = "dev" })
}
