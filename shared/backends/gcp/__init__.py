"""The Google Cloud backend: Firestore documents, Pub/Sub bus, BigQuery history, Cloud Storage, Secret Manager."""
