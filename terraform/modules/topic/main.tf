# One topic with its schema and its history: a BigQuery subscription that writes every message to the table of the
# same shape, and, where asked, a copy in Cloud Storage that no query can change.

resource "google_pubsub_schema" "this" {
  name       = var.name
  type       = "PROTOCOL_BUFFER"
  definition = var.schema
}

resource "google_pubsub_topic" "this" {
  #checkov:skip=CKV_GCP_83:Google-managed keys are enough: messages hold market data and our orders, no credentials
  name = var.name

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  schema_settings {
    schema   = google_pubsub_schema.this.id
    encoding = "JSON"
  }
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = var.publishers

  topic  = google_pubsub_topic.this.name
  role   = "roles/pubsub.publisher"
  member = each.value
}

resource "google_pubsub_subscription" "history" {
  name                       = "${var.name}-history"
  topic                      = google_pubsub_topic.this.id
  message_retention_duration = "604800s"

  bigquery_config {
    table = var.table
    # Maps travel as objects and are kept as key and value: only the topic's schema says so.
    use_topic_schema    = var.history.use_topic_schema
    write_metadata      = var.history.write_metadata
    drop_unknown_fields = var.history.drop_unknown_fields
  }

  dead_letter_policy {
    dead_letter_topic     = var.dead_letter_topic
    max_delivery_attempts = 5
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription_iam_member" "history_forwards" {
  subscription = google_pubsub_subscription.history.name
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}

resource "google_pubsub_subscription" "archive" {
  count = var.archive_bucket == null ? 0 : 1

  name                       = "${var.name}-archive"
  topic                      = google_pubsub_topic.this.id
  message_retention_duration = "604800s"

  cloud_storage_config {
    bucket                   = var.archive_bucket
    filename_prefix          = "${var.name}/"
    filename_suffix          = ".jsonl"
    filename_datetime_format = "YYYY-MM-DD/hh_mm_ssZ"
    # One object every ten minutes at most: objects cost more than bytes.
    max_duration = "600s"

    text_config {}
  }

  dead_letter_policy {
    dead_letter_topic     = var.dead_letter_topic
    max_delivery_attempts = 5
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription_iam_member" "archive_forwards" {
  count = var.archive_bucket == null ? 0 : 1

  subscription = google_pubsub_subscription.archive[0].name
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}
