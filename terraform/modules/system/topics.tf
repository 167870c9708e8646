# What travels: every topic with its schema, its history and, for what money depends on, its archive; and one place
# for what nobody could take.

module "topic" {
  source            = "../topic"
  for_each          = local.topics
  name              = each.key
  region            = var.region
  schema            = file("${local.schemas}/pubsub/${each.key}.proto")
  table             = module.history.tables[each.key]
  history           = try([for table in local.tables : table.subscription if table.topic == each.key][0], {})
  publishers        = { for name, function in local.functions : name => local.members[name] if contains(function.publishes, each.key) }
  archive_bucket    = contains(local.archived, each.key) ? module.archive.name : null
  dead_letter_topic = google_pubsub_topic.dead_letters.id
  pubsub_agent      = local.pubsub_agent
  depends_on        = [google_pubsub_topic_iam_member.dead_letters, google_storage_bucket_iam_member.archive_seen]
}

resource "google_pubsub_topic" "dead_letters" {
  #checkov:skip=CKV_GCP_83:Google-managed keys are enough, as for every topic
  name = local.dead_letters

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.this]
}

# The agent forwards what was refused too often; a function, what it knows to be poison.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  for_each = merge({ agent = local.pubsub_agent }, local.members)

  topic  = google_pubsub_topic.dead_letters.name
  role   = "roles/pubsub.publisher"
  member = each.value
}

# Kept for a month, to be looked at and replayed by a person.
resource "google_pubsub_subscription" "dead_letters" {
  name                       = local.dead_letters
  topic                      = google_pubsub_topic.dead_letters.id
  message_retention_duration = "2678400s"
  ack_deadline_seconds       = 60

  expiration_policy {
    ttl = ""
  }
}

# And for good, in the archive.
resource "google_pubsub_subscription" "dead_letters_archive" {
  name                       = "${local.dead_letters}-archive"
  topic                      = google_pubsub_topic.dead_letters.id
  message_retention_duration = "604800s"

  cloud_storage_config {
    bucket                   = module.archive.name
    filename_prefix          = "${local.dead_letters}/"
    filename_suffix          = ".avro"
    filename_datetime_format = "YYYY-MM-DD/hh_mm_ssZ"
    max_duration             = "600s"

    # With attributes: they say which subscription gave up, and after how many tries.
    avro_config {
      write_metadata = true
    }
  }

  expiration_policy {
    ttl = ""
  }

  depends_on = [google_storage_bucket_iam_member.archive_seen]
}

resource "google_pubsub_subscription_iam_member" "replay" {
  for_each = var.operators

  subscription = google_pubsub_subscription.dead_letters.name
  role         = "roles/pubsub.subscriber"
  member       = each.value
}
