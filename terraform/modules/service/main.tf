# One function as a Cloud Run service under an account of its own. A service that is always on has exactly one
# instance, its processor at all times, probes, and the reserved address; the others wake when they are called.

locals {
  # Underscores are for Python, hyphens for Google Cloud.
  id = replace(var.name, "_", "-")
}

resource "google_cloud_run_v2_service" "this" {
  name                = local.id
  location            = var.region
  description         = var.description
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  deletion_protection = var.protect

  template {
    service_account                  = var.account_email
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency
    execution_environment            = var.always_on ? "EXECUTION_ENVIRONMENT_GEN2" : null

    scaling {
      min_instance_count = var.always_on ? 1 : 0
      max_instance_count = 1
    }

    containers {
      image   = var.image
      command = var.command

      dynamic "env" {
        for_each = var.environment
        content {
          name  = env.key
          value = env.value
        }
      }

      resources {
        limits            = { cpu = var.cpu, memory = var.memory }
        cpu_idle          = !var.always_on
        startup_cpu_boost = true
      }

      dynamic "startup_probe" {
        for_each = var.always_on ? [1] : []
        content {
          period_seconds    = 5
          failure_threshold = 24
          timeout_seconds   = 3
          http_get {
            path = var.startup_path
          }
        }
      }

      # Whether the process lives, never whether a venue does: else an outage there becomes a restart loop here.
      dynamic "liveness_probe" {
        for_each = var.always_on ? [1] : []
        content {
          period_seconds    = 15
          failure_threshold = 4
          timeout_seconds   = 3
          http_get {
            path = var.liveness_path
          }
        }
      }
    }

    dynamic "vpc_access" {
      for_each = var.subnetwork == null ? [] : [var.subnetwork]
      content {
        egress = "ALL_TRAFFIC"
        network_interfaces {
          network    = var.network
          subnetwork = vpc_access.value
        }
      }
    }
  }

  # All at once: half of the traffic of a service that trades would be a second trader.
  traffic {
    type    = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    percent = 100
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers

  name     = google_cloud_run_v2_service.this.name
  location = google_cloud_run_v2_service.this.location
  role     = "roles/run.invoker"
  member   = each.value
}
