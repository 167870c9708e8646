# A place for one secret and the list of who may read it. Its value is never here: a person adds it with gcloud.

resource "google_secret_manager_secret" "this" {
  secret_id           = var.name
  version_destroy_ttl = "604800s"

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = var.readers

  secret_id = google_secret_manager_secret.this.id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}
