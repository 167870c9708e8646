# What is planned for other values, without anything made before.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

# The views are made in the other file; here they would only take time.

override_module {
  target  = module.history.module.views_0
  outputs = { names = [] }
}

override_module {
  target  = module.history.module.views_1
  outputs = { names = [] }
}

override_module {
  target  = module.history.module.views_2
  outputs = { names = [] }
}

override_module {
  target  = module.history.module.views_3
  outputs = { names = [] }
}

override_module {
  target  = module.history.module.views_4
  outputs = { names = [] }
}

override_module {
  target  = module.history.module.views_5
  outputs = { names = [] }
}

override_module {
  target  = module.history.module.views_6
  outputs = { names = [] }
}

override_module {
  target  = module.history.module.views_7
  outputs = { names = [] }
}

variables {
  project_id  = "demo-project"
  alert_email = "oncall@example.com"
  protect     = false
}

run "a_fresh_project" {
  command = plan

  variables {
    leagues = {
      nfl = { months = [1, 2, 9, 10, 11, 12] }
      nba = { months = [10, 11, 12, 1, 2, 3] }
      epl = { every_minutes = 5 }
    }
    schedules = { event_mapper = "", kalshi_scraper = "*/2 * * * *" }
  }

  assert {
    condition     = toset(keys(output.missing_secrets)) == local.secrets
    error_message = "every secret is missing, and the command that adds it is shown"
  }

  assert {
    condition     = alltrue([for pinned in values(local.pinned) : length(pinned) == 0])
    error_message = "no version is read that does not exist"
  }

  assert {
    condition     = module.function["execution"].shape.environment["LIVE_ORDERS"] == "false"
    error_message = "nothing is live unless it is said"
  }

  assert {
    condition     = module.image.sources > 100
    error_message = "the image is made from the library and the functions, and named by them"
  }

  assert {
    condition = {
      for name, job in module.schedule : name => job.shape.cron if contains(["event_mapper", "kalshi_scraper", "odds_scraper"], split("-", name)[0])
      } == {
      kalshi_scraper  = "*/2 * * * *"
      odds_scraper-1m = "* * * 1,2,3,9,10,11,12 *"
      odds_scraper-5m = "*/5 * * * *"
    }
    error_message = "one job for each pace, in the months of its leagues; a schedule of one's own wins, an empty one is none"
  }

  assert {
    condition     = endswith(module.schedule["props_scraper-nightly"].shape.cron, "2 * * *") && module.schedule["props_scraper"].shape.cron == "*/5 * * * *"
    error_message = "props are read before their games, and once a night"
  }
}
