# One topic delivered to one service: signed calls, backed-off retries, a dead letter after five failures, and no
# expiry however quiet the topic is.

resource "google_pubsub_subscription" "this" {
  name                       = "${var.topic_name}-${replace(var.service, "_", "-")}"
  topic                      = var.topic
  ack_deadline_seconds       = var.ack_deadline_seconds
  message_retention_duration = var.retention

  push_config {
    # The path names the topic, for the function and, where one wants CloudEvents, for functions-framework.
    push_endpoint = "${var.endpoint}/${var.topic}"

    oidc_token {
      service_account_email = var.pusher_email
      audience              = var.endpoint
    }
  }

  dead_letter_policy {
    dead_letter_topic     = var.dead_letter_topic
    max_delivery_attempts = 5
  }

  retry_policy {
    minimum_backoff = "5s"
    maximum_backoff = "300s"
  }

  expiration_policy {
    ttl = ""
  }
}

# The agent takes a dead letter from here before it publishes it there.
resource "google_pubsub_subscription_iam_member" "forwards" {
  subscription = google_pubsub_subscription.this.name
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}
