"""The Google Cloud backend: Firestore, Pub/Sub, BigQuery, Cloud Storage, Secret Manager."""
