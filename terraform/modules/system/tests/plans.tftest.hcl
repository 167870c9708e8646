# What is planned for other values, without anything made before.

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

run "a_fresh_project_is_told_what_to_add" {
  command = plan

  assert {
    condition     = toset(keys(output.missing_secrets)) == local.secrets
    error_message = "every secret is missing, and the command that adds it is shown"
  }

  assert {
    condition     = alltrue([for pinned in values(local.pinned) : length(pinned) == 0])
    error_message = "no version is read that does not exist"
  }
}

run "the_image_is_named_by_its_sources" {
  command = plan

  variables {
    image = null
  }

  assert {
    condition     = module.image.sources > 100
    error_message = "the image is made from the library and the functions"
  }
}

run "leagues_are_polled_in_season" {
  command = plan

  variables {
    leagues = {
      nfl = { months = [1, 2, 9, 10, 11, 12] }
      nba = { months = [10, 11, 12, 1, 2, 3] }
      epl = { every_minutes = 5 }
    }
    schedules = { event_mapper = "", reconciler = "", settlement = "", kalshi_scraper = "*/2 * * * *" }
  }

  assert {
    condition = { for name, job in module.schedule : name => job.shape.cron } == {
      kalshi_scraper  = "*/2 * * * *"
      odds_scraper-1m = "* * * 1,2,3,9,10,11,12 *"
      odds_scraper-5m = "*/5 * * * *"
    }
    error_message = "one job for each pace, in the months of its leagues; a schedule of one's own wins"
  }
}
