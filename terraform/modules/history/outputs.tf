output "dataset" {
  description = "Name of the dataset."
  value       = google_bigquery_dataset.this.dataset_id
}

output "tables" {
  description = "Topic to its table, as project.dataset.table, once rows may be written."
  value = {
    for name, table in google_bigquery_table.history :
    local.tables[name].topic => "${table.project}.${table.dataset_id}.${table.table_id}"
  }
  depends_on = [google_bigquery_table_iam_member.writer]
}

output "views" {
  description = "Every view."
  value = sort(concat(
    module.views_1.names, module.views_2.names, module.views_3.names, module.views_4.names,
  ))

  precondition {
    condition     = length(local.placed) == length(local.views)
    error_message = "views.json: these read something that is neither a table nor a view, or each other: ${join(", ", setsubtract(keys(local.views), local.placed))}"
  }
}
