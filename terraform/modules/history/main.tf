# History: one dataset, one table for every topic, as generated from the messages, and the views over them, each
# created after what it reads.

locals {
  tables = jsondecode(file("${var.schemas}/tables.json"))
  views  = { for view in try(jsondecode(file("${var.views}/views.json")), []) : view.name => view }

  # A view can be made once all it reads is there: first those over tables alone, then those over these, and so on.
  known_0 = keys(local.tables)
  level_1 = [for name, view in local.views : name if length(setsubtract(view.reads, local.known_0)) == 0]
  known_1 = concat(local.known_0, local.level_1)
  level_2 = [for name, view in local.views : name if !contains(local.known_1, name) && length(setsubtract(view.reads, local.known_1)) == 0]
  known_2 = concat(local.known_1, local.level_2)
  level_3 = [for name, view in local.views : name if !contains(local.known_2, name) && length(setsubtract(view.reads, local.known_2)) == 0]
  known_3 = concat(local.known_2, local.level_3)
  level_4 = [for name, view in local.views : name if !contains(local.known_3, name) && length(setsubtract(view.reads, local.known_3)) == 0]
  placed  = concat(local.level_1, local.level_2, local.level_3, local.level_4)
}

resource "google_bigquery_dataset" "this" {
  #checkov:skip=CKV_GCP_81:Google-managed keys are enough: market data and our own orders, no credentials and no persons
  dataset_id                 = var.dataset
  friendly_name              = "Arbitrage history"
  description                = "Every message of every topic, one table each, and the views over them."
  location                   = var.region
  delete_contents_on_destroy = !var.protect
  max_time_travel_hours      = 168
}

resource "google_bigquery_table" "history" {
  #checkov:skip=CKV_GCP_80:Google-managed keys are enough, as for the dataset
  #checkov:skip=CKV_GCP_121:deletion_protection follows the environment: on in prod, off in dev so that it can be destroyed
  for_each = local.tables

  dataset_id               = google_bigquery_dataset.this.dataset_id
  table_id                 = each.key
  description              = each.value.description
  schema                   = file("${var.schemas}/${each.key}.json")
  clustering               = length(each.value.clustering) == 0 ? null : each.value.clustering
  require_partition_filter = each.value.require_partition_filter
  deletion_protection      = var.protect

  time_partitioning {
    type          = each.value.partition_type
    field         = each.value.partition_field
    expiration_ms = contains(keys(var.expire_after_days), each.key) ? var.expire_after_days[each.key] * 86400000 : null
  }
}

resource "google_bigquery_table_iam_member" "writer" {
  for_each = google_bigquery_table.history

  dataset_id = each.value.dataset_id
  table_id   = each.value.table_id
  role       = "roles/bigquery.dataEditor"
  member     = var.pubsub_agent
}

resource "google_bigquery_dataset_iam_member" "reader" {
  for_each = var.readers

  dataset_id = google_bigquery_dataset.this.dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.value
}

# Running a query is a right in the project; what it may read is said above.
resource "google_project_iam_member" "query" {
  for_each = var.readers

  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = each.value
}

module "views_1" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name in local.level_1 : name => local.views[name] }
  depends_on = [google_bigquery_table.history]
}

module "views_2" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name in local.level_2 : name => local.views[name] }
  depends_on = [module.views_1]
}

module "views_3" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name in local.level_3 : name => local.views[name] }
  depends_on = [module.views_2]
}

module "views_4" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name in local.level_4 : name => local.views[name] }
  depends_on = [module.views_3]
}
