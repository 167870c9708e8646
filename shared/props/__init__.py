"""Player props: thresholds, lines, prices and liquidity."""
