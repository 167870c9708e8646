"""Structural arbitrage lanes: certificates that no probability fits the asks, basket size, capital."""
