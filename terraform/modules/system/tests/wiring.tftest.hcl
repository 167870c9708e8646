# Who is joined to whom, on planned and mocked values: no cloud, no account.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  mock_resource "google_service_account" {
    defaults = {
      email  = "account@demo-project.iam.gserviceaccount.com"
      member = "serviceAccount:account@demo-project.iam.gserviceaccount.com"
      name   = "projects/demo-project/serviceAccounts/account@demo-project.iam.gserviceaccount.com"
      id     = "projects/demo-project/serviceAccounts/account@demo-project.iam.gserviceaccount.com"
    }
  }

  mock_resource "google_cloud_run_v2_service" {
    defaults = { uri = "https://service-abc-uk.a.run.app" }
  }

  mock_resource "google_pubsub_topic" {
    defaults = { id = "projects/demo-project/topics/topic" }
  }

  mock_resource "google_compute_address" {
    defaults = { address = "203.0.113.7", self_link = "https://compute/addresses/arb-egress" }
  }

  mock_resource "google_project_iam_custom_role" {
    defaults = { id = "projects/demo-project/roles/arbSecretShells" }
  }

  mock_resource "google_iam_workload_identity_pool" {
    defaults = { name = "projects/123456789012/locations/global/workloadIdentityPools/github" }
  }
}

variables {
  project_id  = "demo-project"
  image       = "us-east4-docker.pkg.dev/demo-project/arb/arb:0000000000000000"
  alert_email = "oncall@example.com"
  protect     = true
}

# As in a project that has all it can have.
run "the_whole_system" {
  variables {
    kalshi_key_id   = "11111111-2222-3333-4444-555555555555"
    live_orders     = true
    secret_versions = { kalshi-private-key = "4/3", odds-api-key = "1" }
    billing_account = "012345-6789AB-CDEF01"
    probe_regions   = ["us-east4", "us-central1"]
    github          = { repository = "owner/name", repository_id = "123", environment = "prod", state_bucket = "demo-project-terraform" }
  }

  # Everything is joined.

  assert {
    condition     = length(local.topics) >= 16 && alltrue([for name in local.topics : contains(module.topic[name].subscriptions, "${name}-history")])
    error_message = "every topic keeps its history"
  }

  assert {
    condition     = toset(keys(module.history.tables)) == local.topics
    error_message = "every topic has a table and every table a topic"
  }

  assert {
    condition = length(setsubtract(
      flatten([for function in local.functions : concat(function.publishes, function.pushed, function.pulled)]), local.topics
    )) == 0
    error_message = "a function publishes to or listens on a topic that no message has"
  }

  assert {
    condition     = alltrue([for name, topic in module.topic : length(topic.publishers) > 0])
    error_message = "a topic nobody may publish to: ${join(", ", [for name, topic in module.topic : name if length(topic.publishers) == 0])}"
  }

  assert {
    condition     = alltrue([for name in local.archived : contains(module.topic[name].subscriptions, "${name}-archive")])
    error_message = "what money depends on is kept twice"
  }

  assert {
    condition     = toset(keys(module.function)) == toset(keys(local.functions))
    error_message = "every function is a service"
  }

  assert {
    condition     = toset([for job in local.called : job.function]) == toset([for name, function in local.functions : name if function.schedule != ""])
    error_message = "every function with a schedule is called, and no other"
  }

  assert {
    condition = alltrue([
      for name, function in local.functions :
      contains([for job in local.called : job.function], name) || length(function.pushed) + length(function.pulled) > 0
    ])
    error_message = "a function that neither a schedule nor a topic calls"
  }

  # What fails is not lost.

  assert {
    condition = alltrue([
      for push in module.push : push.shape.dead_letter_topic == google_pubsub_topic.dead_letters.id
      && push.shape.forwards == "roles/pubsub.subscriber" && push.shape.expires == ""
    ])
    error_message = "a pushed subscription without dead letters, without the right to forward them, or that expires"
  }

  assert {
    condition = alltrue([
      for pull in google_pubsub_subscription.pull : pull.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead_letters.id
      && pull.expiration_policy[0].ttl == ""
    ]) && toset(keys(google_pubsub_subscription_iam_member.pull_forwards)) == toset(keys(google_pubsub_subscription.pull))
    error_message = "a pulled subscription without dead letters, or that expires"
  }

  assert {
    condition = alltrue([
      for topic in module.topic : length(topic.forwarding) == length(topic.subscriptions)
      && alltrue([for dead in topic.dead_letter_topics : dead == google_pubsub_topic.dead_letters.id])
    ])
    error_message = "a history or archive subscription without dead letters"
  }

  assert {
    condition     = google_pubsub_topic_iam_member.dead_letters["agent"].member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "Pub/Sub itself must be able to publish dead letters"
  }

  assert {
    condition     = google_pubsub_subscription.dead_letters.name == "dead-letters" && google_pubsub_subscription.dead_letters.message_retention_duration == "2678400s"
    error_message = "dead letters wait a month under the name the code pulls"
  }

  # Nobody calls who may not.

  assert {
    condition = alltrue(flatten([
      for function in module.function : [for member in values(function.invokers) : startswith(member, "serviceAccount:")]
    ]))
    error_message = "only named accounts call a function"
  }

  assert {
    condition     = alltrue([for function in module.function : function.shape.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"])
    error_message = "no function answers the internet"
  }

  assert {
    condition = alltrue([
      for push in module.push : push.shape.account == google_service_account.caller["pusher"].email
      && push.shape.audience == "https://service-abc-uk.a.run.app" && startswith(push.shape.endpoint, "https://service-abc-uk.a.run.app/projects/")
    ])
    error_message = "a push is signed for the service it calls, and its path names the topic"
  }

  assert {
    condition = alltrue([
      for job in module.schedule : job.shape.audience == "https://service-abc-uk.a.run.app" && job.shape.retries == 0
      && job.shape.account == google_service_account.caller["scheduler"].email
    ])
    error_message = "a scheduled call is signed, and not repeated"
  }

  # One executor, with the only key.

  assert {
    condition     = module.function["execution"].shape.min_instances == 1 && module.function["execution"].shape.max_instances == 1
    error_message = "there is exactly one executor"
  }

  assert {
    condition     = module.function["execution"].shape.cpu_idle == false
    error_message = "the executor has its processor at all times"
  }

  assert {
    condition     = module.function["execution"].shape.startup_probes == 1 && module.function["execution"].shape.liveness_probes == 1
    error_message = "the executor is probed"
  }

  assert {
    condition     = join(",", module.function["execution"].shape.egress) == "ALL_TRAFFIC" && output.egress_ip == "203.0.113.7"
    error_message = "the executor is known by one address"
  }

  assert {
    condition     = module.network.nat.allocate == "MANUAL_ONLY" && length(module.network.nat.ips) == 1
    error_message = "the address is reserved, not whichever is free"
  }

  assert {
    condition     = tolist(local.readers["kalshi-private-key"]) == tolist(["execution"]) && module.secret["kalshi-private-key"].readers == tolist(["execution"])
    error_message = "only the executor reads the trading key"
  }

  assert {
    condition = alltrue([
      for name, function in module.function :
      function.shape.max_instances == 1 && (name == "execution" || (function.shape.min_instances == 0 && function.shape.cpu_idle && length(function.shape.egress) == 0))
    ])
    error_message = "the others sleep between calls, one at a time, and go out directly"
  }

  # Rights are on things.

  assert {
    condition = alltrue([
      for condition in values(module.documents.users) : condition == "resource.name == \"projects/demo-project/databases/(default)\""
    ])
    error_message = "documents of this database only"
  }

  assert {
    condition     = toset(keys(module.documents.users)) == toset([for name, function in local.functions : name if function.documents])
    error_message = "only functions that keep documents may"
  }

  assert {
    condition     = length(distinct(values(google_service_account.function)[*].account_id)) == length(local.functions)
    error_message = "every function has an account of its own"
  }

  assert {
    condition     = module.history.views == sort([for view in try(jsondecode(file("${local.root}/infra/bigquery/views.json")), []) : view.name])
    error_message = "every view is made, after what it reads"
  }

  # Secrets reach only who needs them.

  assert {
    condition     = module.function["execution"].shape.environment["SECRET_VERSIONS"] == "kalshi-private-key=4/3"
    error_message = "the executor reads the pinned versions, newest first"
  }

  assert {
    condition = toset([
      for name, function in module.function : name if lookup(function.shape.environment, "LIVE_ORDERS", "") == "true"
    ]) == toset(["execution", "settlement"])
    error_message = "who sends orders and who books what they earned must agree; the key is the sender's alone"
  }

  assert {
    condition     = module.function["odds_scraper"].shape.environment["SECRET_VERSIONS"] == "odds-api-key=1"
    error_message = "the odds scraper reads its key"
  }

  assert {
    condition = toset([
      for name, function in module.function : name if contains(keys(function.shape.environment), "KALSHI_KEY_ID")
    ]) == toset(["execution"])
    error_message = "nobody else is told the key's id"
  }

  # Deploys come from one repository.

  assert {
    condition     = module.federation[0].condition == "assertion.repository_id == '123'"
    error_message = "tokens of other repositories are refused"
  }

  assert {
    condition     = length(output.github) == 3 && length(output.probes) == 2 && length(module.budget) == 1
    error_message = "federation, probes and a budget when they are asked for"
  }
}
