# Who is told, and of what. Each alert is one entry of conditions.tf; its text is the section of the runbook with the
# same name, so that whoever is woken knows where to look.

resource "google_monitoring_notification_channel" "email" {
  display_name = "Arbitrage alerts by e-mail"
  type         = "email"
  labels       = { email_address = var.email }
}

locals {
  channels = concat([google_monitoring_notification_channel.email.id], var.more_channels)
}

# Log lines counted: what the platform has no metric for.
resource "google_logging_metric" "this" {
  for_each = local.log_metrics

  name        = "arb/${each.key}"
  description = each.value.description
  filter      = each.value.filter

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  label_extractors = each.value.labels
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.thresholds

  display_name = "arb: ${replace(each.key, "_", " ")}"
  combiner     = "OR"
  severity     = each.value.severity
  enabled      = !contains(var.muted, each.key)

  conditions {
    display_name = each.value.says

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "${each.value.for_seconds}s"

      aggregations {
        alignment_period     = "${each.value.window_seconds}s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.by
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.says}\n\n${each.value.do}\n\nMore: docs/runbook.md, section `${each.key}`."
  }

  alert_strategy {
    auto_close = "86400s"
  }

  notification_channels = local.channels

  depends_on = [google_logging_metric.this]
}

resource "google_monitoring_alert_policy" "absence" {
  for_each = local.absences

  display_name = "arb: ${replace(each.key, "_", " ")}"
  combiner     = "OR"
  severity     = each.value.severity
  enabled      = !contains(var.muted, each.key)

  conditions {
    display_name = each.value.says

    condition_absent {
      filter   = each.value.filter
      duration = "${each.value.for_seconds}s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = "REDUCE_SUM"
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.says}\n\n${each.value.do}\n\nMore: docs/runbook.md, section `${each.key}`."
  }

  alert_strategy {
    auto_close = "86400s"
  }

  notification_channels = local.channels
}
