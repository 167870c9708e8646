# What runs: one image, one service for every function of functions.json, called by a schedule or by a topic; and the
# execution service, which is always on.

module "image" {
  source        = "../image"
  project_id    = var.project_id
  region        = var.region
  root          = local.root
  source_bucket = module.sources.name
  image         = var.image
  depends_on    = [google_project_service.this]
}

module "network" {
  source     = "../network"
  region     = var.region
  depends_on = [google_project_service.this]
}

module "function" {
  source        = "../service"
  for_each      = local.functions
  name          = each.key
  description   = each.value.does
  account_email = google_service_account.function[each.key].email
  region        = var.region
  image         = module.image.image
  always_on     = each.value.runs == "service"
  command       = try(each.value.command, [])
  cpu           = each.value.cpu
  memory        = each.value.memory
  concurrency   = each.value.concurrency
  environment = merge(
    local.environment,
    {
      RAW_BUCKET      = module.raw.name
      FUNCTION_SOURCE = "functions/${each.key}/main.py"
      FUNCTION_TARGET = "main"
    },
    # One signature for all: a schedule's call and a push are told apart by what they carry.
    each.value.runs == "service" ? {} : { FUNCTION_SIGNATURE_TYPE = "http" },
    # Read at the start by the process itself, in the versions named here and no others.
    length(local.pinned[each.key]) == 0 ? {} : { SECRET_VERSIONS = join(",", local.pinned[each.key]) },
    contains(each.value.secrets, local.trading_key) && var.kalshi_key_id != null ? { KALSHI_KEY_ID = var.kalshi_key_id } : {},
    # Who trades, and who books what was traded: under the same name.
    contains(["execution", "settlement"], each.key) ? { LIVE_ORDERS = tostring(var.live_orders) } : {},
  )
  network    = each.value.runs == "service" ? module.network.network : null
  subnetwork = each.value.runs == "service" ? module.network.subnetwork : null
  invokers = merge(
    contains([for job in local.called : job.function], each.key) ? { scheduler = google_service_account.caller["scheduler"].member } : {},
    length(each.value.pushed) > 0 ? { pusher = google_service_account.caller["pusher"].member } : {},
    { for name, function in local.functions : name => local.members[name] if contains(try(function.calls, []), each.key) },
  )
  protect = var.protect

  # A service that starts before it may do its work fails its probe, and the apply with it.
  depends_on = [module.topic, module.documents, module.history, google_pubsub_topic_iam_member.dead_letters]
}

locals {
  trading_key = "kalshi-private-key"
  pinned = {
    for name, function in local.functions : name => [
      for secret in sort(function.secrets) : "${secret}=${var.secret_versions[secret]}" if contains(keys(var.secret_versions), secret)
    ]
  }
}

module "push" {
  source            = "../push"
  for_each          = local.pushes
  topic             = module.topic[each.value.topic].id
  topic_name        = each.value.topic
  service           = each.value.function
  endpoint          = module.function[each.value.function].uri
  pusher_email      = google_service_account.caller["pusher"].email
  dead_letter_topic = google_pubsub_topic.dead_letters.id
  pubsub_agent      = local.pubsub_agent
  depends_on        = [google_service_account_iam_member.pusher_token]
}

# The executor takes signals when it has room for them; a push would have to wait in its queue. What it missed for ten
# minutes is of no use: no signal lives that long.
resource "google_pubsub_subscription" "pull" {
  for_each = local.pulls

  name                       = "${each.value.topic}-${replace(each.value.function, "_", "-")}"
  topic                      = module.topic[each.value.topic].id
  ack_deadline_seconds       = 20
  message_retention_duration = "600s"

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = 5
  }

  retry_policy {
    minimum_backoff = "1s"
    maximum_backoff = "60s"
  }

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription_iam_member" "pull" {
  for_each = local.pulls

  subscription = google_pubsub_subscription.pull[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.members[each.value.function]
}

resource "google_pubsub_subscription_iam_member" "pull_forwards" {
  for_each = local.pulls

  subscription = google_pubsub_subscription.pull[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

module "schedule" {
  source       = "../schedule"
  for_each     = local.called
  name         = replace(each.key, "_", "-")
  description  = local.functions[each.value.function].does
  region       = var.region
  cron         = each.value.cron
  query        = each.value.query
  paused       = var.paused
  endpoint     = module.function[each.value.function].uri
  caller_email = google_service_account.caller["scheduler"].email
  depends_on   = [google_project_service.this]
}

module "probe" {
  source        = "../probe"
  for_each      = var.probe_regions
  region        = each.key
  image         = module.image.image
  account_email = google_service_account.caller["probe"].email
}
