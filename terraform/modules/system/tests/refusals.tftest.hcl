# What is refused before anything is made.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id  = "demo-project"
  image       = "us-east4-docker.pkg.dev/demo-project/arb/arb:0000000000000000"
  alert_email = "oncall@example.com"
  protect     = false
}

run "every_wrong_value_at_once" {
  command = plan

  variables {
    project_id      = "Demo_Project"
    region          = "us-east4-a"
    dataset         = "arb-history"
    profile         = "RECKLESS"
    settings        = { ODDS_API_KEY = "x" }
    secret_versions = { odds-api-key = "latest" }
    leagues         = {}
    schedules       = { kalshi_scraper = "* * * *" }
    billing_account = "mine"
    raw_days        = 0
  }

  expect_failures = [
    var.project_id,
    var.region,
    var.dataset,
    var.profile,
    var.settings,
    var.secret_versions,
    var.leagues,
    var.schedules,
    var.billing_account,
    var.raw_days,
  ]
}

run "a_key_without_its_id" {
  command = plan

  variables {
    secret_versions = { kalshi-private-key = "1" }
    leagues         = { nfl = { months = [9, 13], every_minutes = 7 } }
  }

  expect_failures = [var.secret_versions, var.leagues]
}

run "live_orders_without_a_key" {
  command = plan

  variables {
    live_orders = true
  }

  expect_failures = [var.live_orders]
}
