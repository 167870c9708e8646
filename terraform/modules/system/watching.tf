# Who notices: alerts, a dashboard, a budget, and the accounts that deploy.

module "alerts" {
  source                   = "../alerts"
  email                    = var.alert_email
  more_channels            = var.alert_channels
  muted                    = var.muted_alerts
  execution                = "execution"
  execution_email          = try(google_service_account.function["execution"].email, "execution@${var.project_id}.iam.gserviceaccount.com")
  trading_key              = local.trading_key
  dead_letter_subscription = google_pubsub_subscription.dead_letters.name
  depends_on               = [google_project_service.this]
}

module "dashboard" {
  source     = "../dashboard"
  folder     = "${local.root}/infra/dashboards"
  depends_on = [google_project_service.this, module.alerts]
}

module "budget" {
  source          = "../budget"
  count           = var.billing_account == null ? 0 : 1
  billing_account = var.billing_account
  project_id      = var.project_id
  project_number  = data.google_project.this.number
  usd             = var.budget_usd
  channels        = module.alerts.channels
  depends_on      = [google_project_service.this]
}

module "federation" {
  source        = "../federation"
  count         = var.github == null ? 0 : 1
  project_id    = var.project_id
  environment   = var.github.environment
  repository    = var.github.repository
  repository_id = var.github.repository_id
  state_bucket  = var.github.state_bucket
  runs_as = merge(
    { for name, account in google_service_account.function : name => account.name },
    { for name, account in google_service_account.caller : name => account.name },
    { build = module.image.build_account },
  )
  depends_on = [google_project_service.this]
}
