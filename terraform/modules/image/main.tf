# One image for every service, named by the digest of what it is made from: the same sources are built once, and a
# change of settings alone builds nothing.

locals {
  # Everything the Dockerfile copies. Caches and tests are not in the image and do not make it new.
  sources = sort([
    for path in flatten([for pattern in var.sources : tolist(fileset(var.root, pattern))]) : path
    if !can(regex("(^|/)(__pycache__|\\.[^/]*|tests)/|\\.pyc$", path))
  ])
  digest = sha256(join("\n", [for path in local.sources : "${path} ${filesha256("${var.root}/${path}")}"]))
  built  = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.this.repository_id}/arb:${substr(local.digest, 0, 16)}"
}

resource "google_artifact_registry_repository" "this" {
  #checkov:skip=CKV_GCP_84:Google-managed keys are enough: the image holds no secret, and a lost key would stop every restart
  repository_id = "arb"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the arbitrage system."

  docker_config {
    # A tag is the digest of its sources: it must never come to mean anything else.
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }
}

resource "google_service_account" "build" {
  account_id   = "arb-build"
  display_name = "Builds the image"
}

resource "google_artifact_registry_repository_iam_member" "build" {
  repository = google_artifact_registry_repository.this.name
  location   = google_artifact_registry_repository.this.location
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = var.source_bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

resource "terraform_data" "build" {
  count = var.image == null ? 1 : 0

  triggers_replace = [local.built]

  provisioner "local-exec" {
    command = "${path.module}/build.sh"
    environment = {
      IMAGE           = local.built
      PROJECT         = var.project_id
      REGION          = var.region
      ROOT            = var.root
      SERVICE_ACCOUNT = google_service_account.build.id
      SOURCE_BUCKET   = var.source_bucket
      CONFIG          = "${path.module}/cloudbuild.yaml"
    }
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_storage_bucket_iam_member.build,
    google_project_iam_member.build_logs,
  ]
}
