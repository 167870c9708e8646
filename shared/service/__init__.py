"""What people and machines see of a running system: API, metrics, logs, alerts. It decides no trade."""
