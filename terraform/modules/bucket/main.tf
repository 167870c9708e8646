# A private bucket whose objects grow cheaper with age and end when they are no longer wanted.

resource "google_storage_bucket" "this" {
  #checkov:skip=CKV_GCP_62:every access is in the audit log already; usage logs of machines writing files tell nobody anything
  #checkov:skip=CKV_GCP_78:objects are written once under names that hold their time; versions would only hide an overwrite's cost
  name                        = var.name
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  soft_delete_policy {
    retention_duration_seconds = var.undelete_days * 86400
  }

  dynamic "lifecycle_rule" {
    for_each = var.nearline_after_days == null ? [] : [var.nearline_after_days]
    content {
      condition {
        age                   = lifecycle_rule.value
        matches_storage_class = ["STANDARD"]
      }
      action {
        type          = "SetStorageClass"
        storage_class = "NEARLINE"
      }
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.delete_after_days == null ? [] : [var.delete_after_days]
    content {
      condition {
        age = lifecycle_rule.value
      }
      action {
        type = "Delete"
      }
    }
  }
}

resource "google_storage_bucket_iam_member" "writer" {
  for_each = var.writers

  bucket = google_storage_bucket.this.name
  role   = var.writer_role
  member = each.value
}
