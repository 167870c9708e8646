output "names" {
  description = "Names of the views."
  value       = keys(google_bigquery_table.view)
}
