# Measures, from one region, how far the venues are: a job that runs when it is asked, and costs nothing until then.

resource "google_cloud_run_v2_job" "this" {
  name                = "latency-probe-${var.region}"
  location            = var.region
  deletion_protection = false

  template {
    task_count = 1

    template {
      service_account = var.account_email
      max_retries     = 0
      timeout         = "300s"

      containers {
        image   = var.image
        command = ["python", "-m", "shared.cli", "probe", "--json"]

        env {
          name  = "PROBE_FROM"
          value = var.region
        }

        resources {
          limits = { cpu = "1", memory = "512Mi" }
        }
      }
    }
  }
}
