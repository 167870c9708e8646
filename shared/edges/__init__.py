"""Edges: what a market is worth against what it costs, and how far that can be believed."""
