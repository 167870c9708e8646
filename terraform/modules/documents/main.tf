# State: one Firestore database. Every field that grows with time or is never asked for is left out of the indexes:
# a query here is by one field's equality and by id, and an index nobody reads is paid at every write.

locals {
  # Firestore knows a document's own expiry only from a timestamp.
  ttl = var.ttl
}

resource "google_firestore_database" "this" {
  name                              = "(default)"
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = var.protect ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.protect ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.protect ? "ABANDON" : "DELETE"
}

# Lazily deleted, within about a day: code compares the time itself, this only keeps the bill small.
resource "google_firestore_field" "ttl" {
  for_each = local.ttl

  database   = google_firestore_database.this.name
  collection = each.key
  field      = each.value

  ttl_config {}
  index_config {}
}

resource "google_firestore_field" "unindexed" {
  for_each = { for one in var.unindexed : "${one.collection}.${one.field}" => one }

  database   = google_firestore_database.this.name
  collection = each.value.collection
  field      = each.value.field

  index_config {}
}

resource "google_firestore_index" "this" {
  for_each = var.indexes

  database   = google_firestore_database.this.name
  collection = each.value.collection
  skip_wait  = true

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value.field
      order      = fields.value.order
    }
  }
}

resource "google_firestore_backup_schedule" "daily" {
  count = var.protect ? 1 : 0

  database  = google_firestore_database.this.name
  retention = "604800s"

  daily_recurrence {}
}

# Server clients have no rights by collection: the least that can be given is this database alone.
resource "google_project_iam_member" "user" {
  for_each = var.users

  project = var.project_id
  role    = "roles/datastore.user"
  member  = each.value

  condition {
    title      = "state-database-only"
    expression = "resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.this.name}\""
  }
}
