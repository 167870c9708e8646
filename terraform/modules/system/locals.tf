# What is deployed, read from the files the code is generated from or tested against: nothing is listed twice.

locals {
  root      = abspath("${path.module}/../../..")
  schemas   = "${local.root}/infra/schemas"
  tables    = jsondecode(file("${local.schemas}/bigquery/tables.json"))
  topics    = toset([for table in local.tables : table.topic])
  functions = jsondecode(file("${local.root}/terraform/functions.json"))

  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  dead_letters = "dead-letters"

  # Kept a second time in Cloud Storage, where no query and no schema change can touch it: what money depends on.
  archived = setintersection(local.topics, var.archived_topics)

  pushes = merge([
    for name, function in local.functions : {
      for topic in function.pushed : "${topic}.${name}" => { topic = topic, function = name }
    }
  ]...)

  pulls = merge([
    for name, function in local.functions : {
      for topic in function.pulled : "${topic}.${name}" => { topic = topic, function = name }
    }
  ]...)

  # Every secret anybody needs, with the functions that need it.
  secrets = toset(flatten([for function in local.functions : function.secrets]))
  readers = {
    for secret in local.secrets : secret => [
      for name, function in local.functions : name if contains(function.secrets, secret)
    ]
  }

  # Leagues polled equally often share a job, in the months any of them plays. Where two jobs meet, the second call
  # finds the first under way and does nothing.
  paces = distinct([for league in values(var.leagues) : league.every_minutes])
  months = {
    for pace in local.paces : pace => sort([
      for month in distinct(flatten([for league in values(var.leagues) : league.months if league.every_minutes == pace])) :
      format("%02d", month)
    ])
  }
  seasons = {
    for pace in local.paces : pace => join(" ", [
      pace == 1 ? "*" : "*/${pace}", "*", "*",
      length(local.months[pace]) == 12 ? "*" : join(",", [for month in local.months[pace] : tonumber(month)]), "*",
    ])
  }

  called = merge(
    {
      for name, function in local.functions :
      name => { function = name, cron = lookup(var.schedules, name, function.schedule), query = try(function.query, "") }
      if lookup(var.schedules, name, function.schedule) != "" && (!function.by_season || contains(keys(var.schedules), name))
    },
    merge([
      for name, function in local.functions : {
        for pace, cron in local.seasons : "${name}-${pace}m" => { function = name, cron = cron, query = "" }
      } if function.by_season && !contains(keys(var.schedules), name)
    ]...),
    # Some are also called for something else, at other times.
    merge([
      for name, function in local.functions : {
        for turn, call in try(function.also, {}) : "${name}-${turn}" => { function = name, cron = call.cron, query = call.query }
      }
    ]...),
  )

  environment = merge(
    {
      BACKEND              = "gcp"
      GOOGLE_CLOUD_PROJECT = var.project_id
      BIGQUERY_DATASET     = var.dataset
      RAW_BUCKET           = "${var.project_id}-raw"
      LEAGUES              = join(",", sort(keys(var.leagues)))
      PROFILE              = var.profile
      LOG_FORMAT           = "json"
    },
    var.settings,
  )
}

data "google_project" "this" {
  project_id = var.project_id
  depends_on = [google_project_service.this]
}
