# Every alert there is. A threshold fires when a value stays above a bound, an absence when something stops coming.

locals {
  run_log = "resource.type=\"cloud_run_revision\""

  log_metrics = {
    errors = {
      description = "Log lines of severity ERROR or worse, by service."
      filter      = "${local.run_log} AND severity>=ERROR"
      labels      = { service = "EXTRACT(resource.labels.service_name)" }
    }
    alerts = {
      description = "Alerts told to people, by code: docs/operating.md lists them."
      filter      = "${local.run_log} AND jsonPayload.message=~\"^alert [a-z_]+: \""
      labels      = { code = "REGEXP_EXTRACT(jsonPayload.message, \"^alert ([a-z_]+):\")" }
    }
    quarantined = {
      description = "Messages that could not be used, by service."
      filter      = "${local.run_log} AND jsonPayload.message=~\"(^quarantined a message|: a message is not used: )\""
      labels      = { service = "EXTRACT(resource.labels.service_name)" }
    }
    schedule_failures = {
      description = "Scheduled calls that were not answered with success, by job."
      filter      = "resource.type=\"cloud_scheduler_job\" AND severity>=ERROR"
      labels      = { job = "EXTRACT(resource.labels.job_id)" }
    }
    key_reads = {
      description = "Reads of the trading key by anyone but the executor."
      filter = join(" AND ", [
        "logName:\"cloudaudit.googleapis.com%2Fdata_access\"",
        "protoPayload.serviceName=\"secretmanager.googleapis.com\"",
        "protoPayload.methodName:\"AccessSecretVersion\"",
        "protoPayload.resourceName:\"/secrets/${var.trading_key}/\"",
        "protoPayload.authenticationInfo.principalEmail!=\"${var.execution_email}\"",
      ])
      labels = { who = "EXTRACT(protoPayload.authenticationInfo.principalEmail)" }
    }
  }

  log_metric = { for name, _ in local.log_metrics : name => "metric.type=\"logging.googleapis.com/user/arb/${name}\"" }

  thresholds = {
    dead_letters = {
      severity       = "WARNING"
      says           = "A message was refused so often that it was put aside."
      do             = "Read why in the log of the service it was for, mend it, then replay."
      filter         = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${var.dead_letter_subscription}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      above          = 0
      for_seconds    = 0
      window_seconds = 60
      aligner        = "ALIGN_MAX"
      reducer        = "REDUCE_SUM"
      by             = []
    }
    # Not of what the executor pulls: a signal stands in Firestore, the bus only wakes who reads it there.
    backlog = {
      severity       = "ERROR"
      says           = "A subscription holds a message that is older than ten minutes."
      do             = "Its consumer is down, refuses everything, or cannot keep up; for one named -history it is the table."
      filter         = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id!=monitoring.regex.full_match(\"${var.dead_letter_subscription}|.*-${var.execution}\") AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      above          = 600
      for_seconds    = 120
      window_seconds = 60
      aligner        = "ALIGN_MAX"
      reducer        = "REDUCE_MAX"
      by             = ["resource.label.subscription_id"]
    }
    history_refused = {
      severity       = "ERROR"
      says           = "BigQuery or Cloud Storage refuses rows: history has a hole while this lasts."
      do             = "Look at the state of the subscription; usually the table's schema lags behind: apply again."
      filter         = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\".*-(history|archive)\") AND metric.type=\"pubsub.googleapis.com/subscription/push_request_count\" AND metric.labels.response_class!=\"ack\""
      above          = 0
      for_seconds    = 300
      window_seconds = 60
      aligner        = "ALIGN_RATE"
      reducer        = "REDUCE_SUM"
      by             = ["resource.label.subscription_id"]
    }
    function_failing = {
      severity       = "ERROR"
      says           = "A function answers with a server error, again and again."
      do             = "Read its log: an error a person must mend says how."
      filter         = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
      above          = 0
      for_seconds    = 300
      window_seconds = 60
      aligner        = "ALIGN_RATE"
      reducer        = "REDUCE_SUM"
      by             = ["resource.label.service_name"]
    }
    schedule_failing = {
      severity       = "WARNING"
      says           = "A scheduled call failed five times in ten minutes."
      do             = "Read the log of the job and of the service it calls."
      filter         = "resource.type=\"cloud_scheduler_job\" AND ${local.log_metric["schedule_failures"]}"
      above          = 4
      for_seconds    = 0
      window_seconds = 600
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.job"]
    }
    errors = {
      severity       = "WARNING"
      says           = "A service logs errors."
      do             = "Read them; each says what to do, or is a fault to report."
      filter         = "resource.type=\"cloud_run_revision\" AND ${local.log_metric["errors"]}"
      above          = 5
      for_seconds    = 0
      window_seconds = 600
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.service"]
    }
    quarantine = {
      severity       = "WARNING"
      says           = "More than fifty messages within ten minutes could not be used."
      do             = "A venue changed its words, or services run different versions: look into the table quarantine."
      filter         = "resource.type=\"cloud_run_revision\" AND ${local.log_metric["quarantined"]}"
      above          = 50
      for_seconds    = 0
      window_seconds = 600
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.service"]
    }
    unknown_outcome = {
      severity       = "CRITICAL"
      says           = "An order was sent and nobody knows what became of it; its market is blocked."
      do             = "Wait for the reconciler's next turn; if the market stays blocked, compare with the venue by hand."
      filter         = "resource.type=\"cloud_run_revision\" AND ${local.log_metric["alerts"]} AND metric.labels.code=monitoring.regex.full_match(\"unknown_outcome\")"
      above          = 0
      for_seconds    = 0
      window_seconds = 60
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.code"]
    }
    halted = {
      severity       = "CRITICAL"
      says           = "Trading stopped: a person or a breaker halted it, or its process left."
      do             = "Find out why before you resume; nothing resumes by itself."
      filter         = "resource.type=\"cloud_run_revision\" AND ${local.log_metric["alerts"]} AND metric.labels.code=monitoring.regex.full_match(\"halted|tripped|execution_failed\")"
      above          = 0
      for_seconds    = 0
      window_seconds = 60
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.code"]
    }
    lease_moved = {
      severity       = "ERROR"
      says           = "The executor's lease changed hands outside a deploy."
      do             = "Two executors run, or one was killed; only one ever sends."
      filter         = "resource.type=\"cloud_run_revision\" AND ${local.log_metric["alerts"]} AND metric.labels.code=monitoring.regex.full_match(\"lease_moved\")"
      above          = 0
      for_seconds    = 0
      window_seconds = 60
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.code"]
    }
    stream_lost = {
      severity       = "ERROR"
      says           = "The executor has had no live books for half a minute: it refuses every order."
      do             = "Look at the exchange's status page and at the executor's log; it reconnects by itself."
      filter         = "resource.type=\"cloud_run_revision\" AND ${local.log_metric["alerts"]} AND metric.labels.code=monitoring.regex.full_match(\"stream_lost\")"
      above          = 0
      for_seconds    = 0
      window_seconds = 60
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.code"]
    }
    credits_used_up = {
      severity       = "WARNING"
      says           = "The odds plan is used up: nothing is priced until it renews."
      do             = "Raise the plan, or lower ODDS_DAILY_CREDITS and the number of leagues."
      filter         = "resource.type=\"cloud_run_revision\" AND ${local.log_metric["alerts"]} AND metric.labels.code=monitoring.regex.full_match(\"quota_exhausted\")"
      above          = 0
      for_seconds    = 0
      window_seconds = 60
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.code"]
    }
    two_executors = {
      severity       = "ERROR"
      says           = "More than one instance of the execution service has run for ten minutes."
      do             = "A rollout is stuck. The lease keeps the second from sending; end the old revision."
      filter         = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.execution}\" AND metric.type=\"run.googleapis.com/container/instance_count\""
      above          = 1
      for_seconds    = 600
      window_seconds = 60
      aligner        = "ALIGN_MAX"
      reducer        = "REDUCE_SUM"
      by             = []
    }
    memory = {
      severity       = "WARNING"
      says           = "A service uses more than nine tenths of its memory."
      do             = "Raise its memory in terraform/functions.json before it is killed."
      filter         = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/container/memory/utilizations\""
      above          = 0.9
      for_seconds    = 600
      window_seconds = 60
      aligner        = "ALIGN_PERCENTILE_99"
      reducer        = "REDUCE_MAX"
      by             = ["resource.label.service_name"]
    }
    key_read = {
      severity       = "CRITICAL"
      says           = "Someone other than the executor read the trading key."
      do             = "If it was not you: revoke the key at the exchange now, then find out who."
      filter         = "${local.log_metric["key_reads"]} AND resource.type=\"audited_resource\""
      above          = 0
      for_seconds    = 0
      window_seconds = 60
      aligner        = "ALIGN_SUM"
      reducer        = "REDUCE_SUM"
      by             = ["metric.label.who"]
    }
  }

  absences = {
    no_listing = {
      severity    = "ERROR"
      says        = "No listing of the exchange for five minutes."
      do          = "The scraper, its schedule or the exchange is down; there is a weekly pause on Thursday 03:00 to 05:00 Eastern."
      filter      = "resource.type=\"pubsub_topic\" AND resource.labels.topic_id=\"kalshi-markets\" AND metric.type=\"pubsub.googleapis.com/topic/send_message_operation_count\""
      for_seconds = 300
      aligner     = "ALIGN_DELTA"
    }
    no_executor = {
      severity    = "CRITICAL"
      says        = "No instance of the execution service for five minutes: nothing watches the open orders."
      do          = "Look at the revision's log: a missing secret version or a failing probe keeps it from starting."
      filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.execution}\" AND metric.type=\"run.googleapis.com/container/instance_count\""
      for_seconds = 300
      aligner     = "ALIGN_MAX"
    }
  }
}
