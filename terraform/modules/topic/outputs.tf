output "id" {
  description = "Full name of the topic."
  value       = google_pubsub_topic.this.id
}

output "subscriptions" {
  description = "Subscriptions that keep what the topic says."
  value       = concat([google_pubsub_subscription.history.name], google_pubsub_subscription.archive[*].name)
}

output "publishers" {
  description = "Functions that may publish."
  value       = sort(keys(google_pubsub_topic_iam_member.publisher))
}

output "forwarding" {
  description = "Subscriptions whose dead letters can be forwarded."
  value = concat(
    [google_pubsub_subscription_iam_member.history_forwards.subscription],
    google_pubsub_subscription_iam_member.archive_forwards[*].subscription,
  )
}

output "dead_letter_topics" {
  description = "Dead-letter topic of each subscription."
  value = [
    for s in concat([google_pubsub_subscription.history], google_pubsub_subscription.archive) :
    s.dead_letter_policy[0].dead_letter_topic
  ]
}
