"""Names and rhythms that several steps of the pipeline agree on."""

from __future__ import annotations

from shared.clock import MINUTE, SECOND

# Document collections: decisions by exchange event, and the feed's slates by sport.
MAPPINGS, SLATES = "mappings", "odds_events"

# A listing that stands still is said again after this long.
HEARTBEAT = MINUTE


def quote_age(listing_s: float) -> int:
    """Oldest usable listing, microseconds: one that stands still is said again at the poll after a minute."""
    return HEARTBEAT + int(2 * listing_s * SECOND)
