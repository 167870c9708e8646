"""Execution: from a signal to confirmed fills. Paper and live are the same engine with another gateway."""
