"""Questions about player props, asked of history: a day's rungs with their edges, and one ladder.

Plain SQL over the tables of :mod:`shared.messages`; :data:`Query` runs it, whatever engine answers.
"""

from __future__ import annotations

from shared.analytics.history import Query, Rows

_NEWEST = "QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY observed_at DESC, event_id) = 1"


def days(query: Query) -> list[str]:
    """Days with props, newest first."""
    sql = "SELECT DISTINCT CAST(game_date AS VARCHAR) AS day FROM kalshi_player_props ORDER BY day DESC"
    return [str(row["day"]) for row in query(sql, [])]


def table(query: Query, day: str, player: str = "", prop: str = "") -> Rows:
    """Newest state of every rung of ``day`` beside its comparison; what may be traded first, best edge first.

    ``player`` is a lookup key or a part of one, ``prop`` a prop type; empty means all.
    """
    newest = _NEWEST.format(key="ticker")
    sql = f"""
        WITH listed AS (
          SELECT * FROM kalshi_player_props_latest WHERE game_date = CAST(? AS DATE) {newest}
        ), compared AS (
          SELECT * FROM prop_comparisons_latest WHERE game_date = CAST(? AS DATE) {newest}
        )
        SELECT l.ticker, l.league, l.player_name, l.player_lookup, l.player_team, l.prop_type, l.threshold,
               l.line, l.yes_bid, l.yes_ask, l.no_ask, l.over_american, l.liquidity, l.round_trip_cost,
               l.status, l.result, l.findings, l.odds_event_id, l.observed_at, c.method, c.model,
               c.tradable, c.reasons, c.fair, c.yes_fair, c.no_fair, c.model_error, c.books, c.book_lines,
               c.quote_age_s, c.yes_net_edge, c.no_net_edge, c.yes_quantity, c.no_quantity,
               greatest(coalesce(c.yes_net_edge, -1), coalesce(c.no_net_edge, -1)) AS best_edge
        FROM listed l LEFT JOIN compared c USING (ticker)
        WHERE (? = '' OR contains(l.player_lookup, ?)) AND (? = '' OR l.prop_type = ?)
        ORDER BY coalesce(c.tradable, FALSE) DESC, best_edge DESC, l.player_lookup, l.prop_type, l.threshold
    """  # noqa: S608 - names of our own tables
    return query(sql, [day, day, player, player, prop, prop])


def quotes(query: Query, day: str, player: str, prop: str) -> Rows:
    """Newest bookmaker lines on one player's prop, lowest line first."""
    newest = _NEWEST.format(key="bookmaker, market, is_alternate, line")
    sql = f"""
        SELECT bookmaker, line, over_price, under_price, over_fair, is_alternate, last_update
        FROM sportsbook_player_props_latest
        WHERE game_date = CAST(? AS DATE) AND player_lookup = ? AND prop_type = ? {newest}
        ORDER BY line, bookmaker
    """  # noqa: S608 - names of our own tables
    return query(sql, [day, player, prop])
