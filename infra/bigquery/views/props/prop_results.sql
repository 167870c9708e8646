-- Question: How did each rung end, and what was its price before the game began?
-- Grain: one row per player-prop market with a result of yes, no or a fair price.
-- Units: before_start is the middle of the last two-sided bracket before the start, as a probability, NULL if there was
--   none; hit 1 for YES, 0 for NO, NULL for a fair price; settlement_value in micro-dollars.
WITH ended AS (
  SELECT *
  FROM `${dataset}.stg_kalshi_player_props`
  WHERE result IN ('yes', 'no', 'scalar')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
),
quoted AS (
  SELECT ticker, (yes_bid + yes_ask) / 2000000 AS middle, observed_at
  FROM `${dataset}.stg_kalshi_player_props`
  WHERE
    status = 'active'
    AND yes_bid IS NOT NULL
    AND yes_ask IS NOT NULL
    AND (starts_at IS NULL OR observed_at < starts_at)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
)
SELECT
  e.game_date,
  e.ticker,
  e.series_ticker,
  e.league,
  e.player_name,
  e.player_lookup,
  e.prop_type,
  e.threshold,
  e.line,
  q.middle AS before_start,
  q.observed_at AS quoted_at,
  e.result,
  CASE e.result WHEN 'yes' THEN 1 WHEN 'no' THEN 0 ELSE NULL END AS hit,
  e.settlement_value,
  e.observed_at
FROM ended AS e
LEFT JOIN quoted AS q ON q.ticker = e.ticker
