variable "project_id" {
  description = "Project of this environment."
  type        = string
}

variable "region" {
  description = "Region of everything."
  type        = string
  default     = "us-east4"
}

variable "alert_email" {
  description = "Who is written to when something is wrong."
  type        = string
}

variable "billing_account" {
  description = "Billing account of the budget; null makes none."
  type        = string
  default     = null
}

variable "kalshi_key_id" {
  description = "Id of the exchange's key, which goes with the secret kalshi-private-key; null until there is one."
  type        = string
  default     = null
}

variable "live_orders" {
  description = "Whether the executor sends real orders."
  type        = bool
  default     = false
}

variable "secret_versions" {
  description = "Pinned versions of the secrets that have a value by now, e.g. { odds-api-key = \"1\" }; during a rotation newest first, as in \"4/3\"."
  type        = map(string)
  default     = {}
}

variable "leagues" {
  description = "Leagues, their months and minutes, e.g. { nfl = { months = [1, 2, 8, 9, 10, 11, 12], every_minutes = 1 } }; null for six of them."
  type = map(object({
    months        = optional(list(number), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    every_minutes = optional(number, 1)
  }))
  default = null
}

variable "schedules" {
  description = "Other cron lines, by function, e.g. { odds_scraper = \"*/5 * * * *\" }."
  type        = map(string)
  default     = null
}

variable "settings" {
  description = "Further settings of docs/env.example; no secrets."
  type        = map(string)
  default     = {}
}

variable "operators" {
  description = "Who may query history and replay dead letters: a name to an IAM member."
  type        = map(string)
  default     = {}
}

variable "github" {
  description = "Repository whose workflows may deploy here; null lets none."
  type = object({
    repository    = string
    repository_id = string
    state_bucket  = optional(string)
  })
  default = null
}

variable "image" {
  description = "Image built elsewhere; null builds it."
  type        = string
  default     = null
}

variable "paused" {
  description = "Whether every schedule rests."
  type        = bool
  default     = false
}
