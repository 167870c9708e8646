# History: one dataset, one table for every topic, as generated from the messages, and the views over them, each
# made after what it reads: what reads tables alone comes first.

locals {
  tables = jsondecode(file("${var.schemas}/tables.json"))
  views  = { for view in try(jsondecode(file("${var.views}/views.json")), []) : view.name => view }

  # A view can be made once all it reads is there. Each line takes what can be made after the lines before it.
  made_0 = toset([for name, view in local.views : name if length(setsubtract(view.reads, keys(local.tables))) == 0])
  made_1 = setunion(local.made_0, [for name, view in local.views : name if length(setsubtract(view.reads, setunion(keys(local.tables), local.made_0))) == 0])
  made_2 = setunion(local.made_1, [for name, view in local.views : name if length(setsubtract(view.reads, setunion(keys(local.tables), local.made_1))) == 0])
  made_3 = setunion(local.made_2, [for name, view in local.views : name if length(setsubtract(view.reads, setunion(keys(local.tables), local.made_2))) == 0])
  made_4 = setunion(local.made_3, [for name, view in local.views : name if length(setsubtract(view.reads, setunion(keys(local.tables), local.made_3))) == 0])
  made_5 = setunion(local.made_4, [for name, view in local.views : name if length(setsubtract(view.reads, setunion(keys(local.tables), local.made_4))) == 0])
  made_6 = setunion(local.made_5, [for name, view in local.views : name if length(setsubtract(view.reads, setunion(keys(local.tables), local.made_5))) == 0])
  made_7 = setunion(local.made_6, [for name, view in local.views : name if length(setsubtract(view.reads, setunion(keys(local.tables), local.made_6))) == 0])
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

module "views_0" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name, view in local.views : name => view if contains(local.made_0, name) }
  depends_on = [google_bigquery_table.history]
}

module "views_1" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name, view in local.views : name => view if contains(local.made_1, name) && !contains(local.made_0, name) }
  depends_on = [module.views_0]
}

module "views_2" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name, view in local.views : name => view if contains(local.made_2, name) && !contains(local.made_1, name) }
  depends_on = [module.views_1]
}

module "views_3" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name, view in local.views : name => view if contains(local.made_3, name) && !contains(local.made_2, name) }
  depends_on = [module.views_2]
}

module "views_4" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name, view in local.views : name => view if contains(local.made_4, name) && !contains(local.made_3, name) }
  depends_on = [module.views_3]
}

module "views_5" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name, view in local.views : name => view if contains(local.made_5, name) && !contains(local.made_4, name) }
  depends_on = [module.views_4]
}

module "views_6" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name, view in local.views : name => view if contains(local.made_6, name) && !contains(local.made_5, name) }
  depends_on = [module.views_5]
}

module "views_7" {
  source     = "../views"
  dataset    = google_bigquery_dataset.this.dataset_id
  project_id = var.project_id
  folder     = var.views
  views      = { for name, view in local.views : name => view if contains(local.made_7, name) && !contains(local.made_6, name) }
  depends_on = [module.views_6]
}
