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
    module.views_0.names, module.views_1.names, module.views_2.names, module.views_3.names,
    module.views_4.names, module.views_5.names, module.views_6.names, module.views_7.names,
  ))

  precondition {
    condition     = length(local.made_7) == length(local.views)
    error_message = "views.json: these read what is neither table nor view, or each other, or more than eight deep: ${join(", ", setsubtract(keys(local.views), local.made_7))}"
  }
}
