"""Programs that run inside a peer's own throw-away environment; nothing here is imported by the project."""
