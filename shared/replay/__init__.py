"""Replay: recorded payloads through the same engine, on virtual time, the same bytes every time."""
