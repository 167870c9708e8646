variable "project_id" {
  description = "Project of this environment: topics and accounts have fixed names, so each environment has its own."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be a project's id: 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Region of everything; state cannot be moved later, so measure first (docs/runbook.md, region)."
  type        = string
  default     = "us-east4"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region, as in us-east4, not a zone or a multi-region."
  }
}

variable "protect" {
  description = "Whether databases, tables and services are kept from being destroyed, with recovery and backups."
  type        = bool
}

variable "paused" {
  description = "Whether every schedule rests: nothing is polled, nothing is spent."
  type        = bool
  default     = false
}

variable "dataset" {
  description = "BigQuery dataset of the history."
  type        = string
  default     = "arb"

  validation {
    condition     = can(regex("^[A-Za-z0-9_]{1,100}$", var.dataset))
    error_message = "dataset must be letters, digits and underscores."
  }
}

variable "profile" {
  description = "How much net edge to ask for."
  type        = string
  default     = "STANDARD"

  validation {
    condition     = contains(["CONSERVATIVE", "STANDARD", "AGGRESSIVE", "VERY_AGGRESSIVE", "ANY_EDGE", "SCALP"], upper(var.profile))
    error_message = "profile must be CONSERVATIVE, STANDARD, AGGRESSIVE, VERY_AGGRESSIVE, ANY_EDGE or SCALP."
  }
}

variable "settings" {
  description = "Further settings of docs/env.example for every function, e.g. { MAX_DAILY_LOSS_USD = \"200\" }. No secrets."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for name in keys(var.settings) : can(regex("^[A-Z][A-Z0-9_]*$", name)) && !can(regex("(_KEY|_TOKEN|_PASSWORD|_SECRET|WEBHOOK_URL)$", name))
    ])
    error_message = "settings are capitals, digits and underscores, and never secrets: those go into Secret Manager."
  }
}

variable "leagues" {
  description = "Leagues that are polled: in which months, and every how many minutes."
  type = map(object({
    months        = optional(list(number), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    every_minutes = optional(number, 1)
  }))
  nullable = false
  default = {
    epl   = { months = [1, 2, 3, 4, 5, 8, 9, 10, 11, 12] }
    mlb   = { months = [3, 4, 5, 6, 7, 8, 9, 10, 11] }
    nba   = { months = [1, 2, 3, 4, 5, 6, 10, 11, 12] }
    ncaaf = { months = [1, 8, 9, 10, 11, 12] }
    nfl   = { months = [1, 2, 8, 9, 10, 11, 12] }
    nhl   = { months = [1, 2, 3, 4, 5, 6, 9, 10, 11, 12] }
  }

  validation {
    condition     = length(var.leagues) > 0 && alltrue([for league in keys(var.leagues) : can(regex("^[a-z0-9 ]+$", league))])
    error_message = "leagues must be named in small letters, as shared/mapping/data has them, and there must be one."
  }

  validation {
    condition     = alltrue(flatten([for league in values(var.leagues) : [for month in league.months : contains(range(1, 13), month)]]))
    error_message = "months are numbers from 1 to 12."
  }

  validation {
    condition     = alltrue([for league in values(var.leagues) : contains([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30], league.every_minutes)])
    error_message = "every_minutes must divide an hour: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30."
  }
}

variable "schedules" {
  description = "Other cron lines than those of terraform/functions.json, by function; an empty one is never called."
  nullable    = false
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for cron in values(var.schedules) : cron == "" || length(split(" ", cron)) == 5])
    error_message = "a schedule has five fields: minute, hour, day of month, month, day of week."
  }
}

variable "image" {
  description = "Image built elsewhere; null builds it with Cloud Build when its sources change."
  type        = string
  default     = null
}

variable "kalshi_key_id" {
  description = "Id of the exchange's key, which goes with the secret kalshi-private-key; null until there is one."
  type        = string
  default     = null
}

variable "live_orders" {
  description = "Whether the executor sends real orders. Without it everything is traded on paper, with a key or without."
  type        = bool
  default     = false

  validation {
    condition     = !var.live_orders || (var.kalshi_key_id != null && contains(keys(var.secret_versions), "kalshi-private-key"))
    error_message = "live_orders needs kalshi_key_id and a pinned version of kalshi-private-key."
  }
}

variable "secret_versions" {
  description = "Pinned versions of the secrets that have a value by now, e.g. { odds-api-key = \"1\" }; during a rotation newest first, as in \"4/3\"."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for version in values(var.secret_versions) : can(regex("^[0-9]+(/[0-9]+)*$", version))])
    error_message = "a version is a number, or several newest first: 4/3. It is pinned, so that a change is seen."
  }

  validation {
    condition     = !contains(keys(var.secret_versions), "kalshi-private-key") || var.kalshi_key_id != null
    error_message = "kalshi-private-key needs kalshi_key_id, the id the exchange shows beside it."
  }
}

variable "archived_topics" {
  description = "Topics with a second copy in Cloud Storage."
  type        = set(string)
  default     = ["signals", "orders", "fills", "positions", "settlements", "account-snapshots", "alerts"]
}

variable "expire_after_days" {
  description = "Tables whose old days are dropped, with their age in days; the others are kept for good."
  type        = map(number)
  default     = { kalshi_markets = 90, kalshi_orderbook = 30, kalshi_ticks = 400, quarantine = 400 }
}

variable "raw_days" {
  description = "How long raw payloads are kept, in days."
  type        = number
  default     = 180

  validation {
    condition     = var.raw_days >= 1
    error_message = "raw_days must be at least 1."
  }
}

variable "document_ttl" {
  description = "Firestore collections whose documents end, with the timestamp field that says when."
  type        = map(string)
  default     = {}
}

variable "unindexed_fields" {
  description = "Firestore fields kept out of the indexes: large or ever growing, and never asked for."
  type        = list(object({ collection = string, field = string }))
  default     = []
}

variable "analysts" {
  description = "Who may query the history: a name to an IAM member."
  type        = map(string)
  default     = {}
}

variable "operators" {
  description = "Who may replay dead letters: a name to an IAM member."
  type        = map(string)
  default     = {}
}

variable "probe_regions" {
  description = "Regions a latency probe can be run from; a probe costs nothing until it is run."
  type        = set(string)
  default     = []
}

variable "alert_email" {
  description = "Who is written to when something is wrong."
  type        = string
}

variable "alert_channels" {
  description = "Further notification channels, by full name."
  type        = list(string)
  default     = []
}

variable "muted_alerts" {
  description = "Alerts that stay silent, by name."
  type        = list(string)
  default     = []
}

variable "billing_account" {
  description = "Billing account of the budget; null makes none."
  type        = string
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account looks like 012345-6789AB-CDEF01."
  }
}

variable "budget_usd" {
  description = "Dollars a month at which the budget writes."
  type        = number
  default     = 90
}

variable "github" {
  description = "Repository whose workflows may deploy, its number, the environment, and the bucket of the state; null lets none."
  type = object({
    repository    = string
    repository_id = string
    environment   = string
    state_bucket  = optional(string)
  })
  default = null
}
