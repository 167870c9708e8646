# Views whose sources are all there.

resource "google_bigquery_table" "view" {
  #checkov:skip=CKV_GCP_80:a view holds no data
  #checkov:skip=CKV_GCP_121:a view holds no data and is made again from its SQL
  for_each = var.views

  dataset_id          = var.dataset
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false

  view {
    query          = templatefile("${var.folder}/${each.value.file}", { dataset = "${var.project_id}.${var.dataset}" })
    use_legacy_sql = false
  }
}
