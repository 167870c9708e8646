# What is kept: documents, history, raw payloads, the archive, and secrets without their values.

module "documents" {
  source     = "../documents"
  project_id = var.project_id
  region     = var.region
  protect    = var.protect
  users      = { for name, function in local.functions : name => local.members[name] if function.documents }
  ttl        = var.document_ttl
  unindexed  = var.unindexed_fields
  indexes    = {}
  depends_on = [google_project_service.this]
}

module "history" {
  source            = "../history"
  project_id        = var.project_id
  region            = var.region
  dataset           = var.dataset
  schemas           = "${local.schemas}/bigquery"
  views             = "${local.root}/infra/bigquery"
  readers           = merge(var.analysts, { for name, function in local.functions : name => local.members[name] if try(function.queries, false) })
  expire_after_days = var.expire_after_days
  pubsub_agent      = local.pubsub_agent
  protect           = var.protect
  depends_on        = [google_project_service.this]
}

module "raw" {
  source              = "../bucket"
  name                = "${var.project_id}-raw"
  region              = var.region
  writers             = { for name, function in local.functions : name => local.members[name] if function.raw }
  nearline_after_days = 30
  delete_after_days   = var.raw_days
  undelete_days       = 0
  force_destroy       = !var.protect
  depends_on          = [google_project_service.this]
}

module "archive" {
  source              = "../bucket"
  name                = "${var.project_id}-archive"
  region              = var.region
  writers             = { pubsub = local.pubsub_agent }
  writer_role         = "roles/storage.objectCreator"
  nearline_after_days = 90
  force_destroy       = !var.protect
  depends_on          = [google_project_service.this]
}

# A Cloud Storage subscription looks at the bucket before it writes.
resource "google_storage_bucket_iam_member" "archive_seen" {
  bucket = module.archive.name
  role   = "roles/storage.legacyBucketReader"
  member = local.pubsub_agent
}

module "sources" {
  source            = "../bucket"
  name              = "${var.project_id}-build"
  region            = var.region
  delete_after_days = 7
  undelete_days     = 0
  force_destroy     = true
  depends_on        = [google_project_service.this]
}

module "secret" {
  source     = "../secret"
  for_each   = local.secrets
  name       = each.key
  readers    = { for name in local.readers[each.key] : name => local.members[name] }
  depends_on = [google_project_service.this]
}
