# One cron line that calls one service with a signed request. A call that fails is not repeated: the next one is due
# before a retry would be over, and two polls at once help nobody.

resource "google_cloud_scheduler_job" "this" {
  name             = var.name
  description      = var.description
  region           = var.region
  schedule         = var.cron
  time_zone        = var.time_zone
  paused           = var.paused
  attempt_deadline = "${var.deadline_seconds}s"

  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = var.query == "" ? "${var.endpoint}/" : "${var.endpoint}/?${var.query}"

    oidc_token {
      service_account_email = var.caller_email
      audience              = var.endpoint
    }
  }
}
