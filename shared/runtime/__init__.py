"""The whole system in one process: loops instead of schedules, the local bus instead of Pub/Sub."""
