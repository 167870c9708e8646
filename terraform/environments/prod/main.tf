# Production: nothing that holds data can be destroyed, state can be brought back to any minute of a week.

module "system" {
  source          = "../../modules/system"
  project_id      = var.project_id
  region          = var.region
  protect         = true
  profile         = "STANDARD"
  settings        = var.settings
  leagues         = var.leagues
  schedules       = var.schedules
  kalshi_key_id   = var.kalshi_key_id
  secret_versions = var.secret_versions
  live_orders     = var.live_orders
  image           = var.image
  paused          = var.paused
  alert_email     = var.alert_email
  analysts        = var.operators
  operators       = var.operators
  billing_account = var.billing_account
  budget_usd      = 120
  github          = var.github == null ? null : merge(var.github, { environment = "prod" })
}
