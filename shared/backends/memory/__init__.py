"""Ports held in memory, in strict order: a replay runs on these, so the same tape gives the same bytes."""
