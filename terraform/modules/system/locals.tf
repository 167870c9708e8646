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

  # One job for each different cron line of a polling function: leagues in season together are polled together.
  polls = merge([
    for name, cron in var.polls : {
      for line in distinct([for league in values(var.leagues) : "${cron} ${league.months} *"]) :
      "${name}.${index(distinct([for league in values(var.leagues) : "${cron} ${league.months} *"]), line)}" => {
        function = name
        cron     = line
        body     = { leagues = sort([for league, season in var.leagues : league if "${cron} ${season.months} *" == line]) }
      }
    }
  ]...)

  crons = merge({ for name, function in local.functions : name => function.schedule }, var.schedules)
  called = merge(
    local.polls,
    {
      for name, cron in local.crons : name => { function = name, cron = cron, body = {} }
      if cron != "" && !contains(keys(var.polls), name)
    },
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
