"""Analytics: what was earned, how good the prices were, and whether it was luck."""
