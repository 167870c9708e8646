# Who is who: one account for every function, and two that only call them. An account's rights are given where the
# thing is that they are for.

resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = replace(each.key, "_", "-")
  display_name = each.value.does
  depends_on   = [google_project_service.this]
}

resource "google_service_account" "caller" {
  for_each = {
    scheduler = "Calls the functions that run on a schedule"
    pusher    = "Signs what Pub/Sub pushes"
    probe     = "Runs the latency probe; has no rights"
  }

  account_id   = "arb-${each.key}"
  display_name = each.value
  depends_on   = [google_project_service.this]
}

locals {
  members = { for name, account in google_service_account.function : name => account.member }
}

# Pub/Sub signs pushes as the pusher.
resource "google_service_account_iam_member" "pusher_token" {
  service_account_id = google_service_account.caller["pusher"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}
