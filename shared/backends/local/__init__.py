"""The one-machine backend: SQLite documents, in-process bus, DuckDB history, files."""
