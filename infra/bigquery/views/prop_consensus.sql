-- Question: Where do the bookmakers stand together on each player's line, at their last word before the start?
-- Grain: one row per odds event, prop market, player and line with a two-sided quote.
-- Units: probabilities of over, 0 to 1; books are counted; range is highest less lowest.
WITH last_lines AS (
  SELECT *
  FROM `${dataset}.prop_book_lines`
  WHERE
    over_probability IS NOT NULL
    AND (starts_at IS NULL OR last_update IS NULL OR last_update < starts_at)
    -- Venues we trade on, and contests that are no bookmakers.
    AND bookmaker NOT IN ('betr_us_dfs', 'kalshi', 'pick6', 'polymarket', 'prizepicks', 'underdog')
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY odds_event_id, prop, player, CAST(line AS STRING), bookmaker ORDER BY last_update DESC, first_seen_at DESC
  ) = 1
)
SELECT
  odds_event_id,
  sport_key,
  home,
  away,
  MAX(starts_at) AS starts_at,
  prop,
  player,
  line,
  COUNT(*) AS books,
  AVG(over_probability) AS over_probability,
  MIN(over_probability) AS lowest,
  MAX(over_probability) AS highest,
  MAX(over_probability) - MIN(over_probability) AS disagreement,
  AVG(margin) AS margin,
  MAX(last_update) AS last_update
FROM last_lines
GROUP BY odds_event_id, sport_key, home, away, prop, player, line
