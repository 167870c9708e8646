"""Exchanges that speak the venues' real wire protocol over one seeded world, for demos and tests."""
