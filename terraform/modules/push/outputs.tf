output "subscription" {
  description = "Name of the subscription."
  value       = google_pubsub_subscription.this.name
}

output "shape" {
  description = "What the tests look at."
  value = {
    endpoint          = google_pubsub_subscription.this.push_config[0].push_endpoint
    audience          = google_pubsub_subscription.this.push_config[0].oidc_token[0].audience
    account           = google_pubsub_subscription.this.push_config[0].oidc_token[0].service_account_email
    dead_letter_topic = google_pubsub_subscription.this.dead_letter_policy[0].dead_letter_topic
    expires           = google_pubsub_subscription.this.expiration_policy[0].ttl
    forwards          = google_pubsub_subscription_iam_member.forwards.role
  }
}
