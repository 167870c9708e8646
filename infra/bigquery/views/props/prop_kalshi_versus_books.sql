-- Question: Where does the exchange's price of a rung stand against the bookmakers' fair value, and is that tradable?
-- Grain: one row per player-prop market that was compared, its newest comparison beside its newest state.
-- Units: middle, fair, yes_fair, no_fair and gap (middle less fair) as probabilities; net edges in dollars per
--   contract after fees and differing states; quantities in hundredths of a contract; asks in micro-dollars.
WITH compared AS (
  SELECT *
  FROM `${dataset}.stg_prop_comparisons`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker ORDER BY observed_at DESC, event_id) = 1
)
SELECT
  c.game_date,
  c.ticker,
  c.league,
  c.player_name,
  c.player_lookup,
  c.prop_type,
  r.threshold,
  c.line,
  c.method,
  c.model,
  c.tradable,
  ARRAY_TO_STRING(c.reasons, '; ') AS reasons,
  r.middle,
  c.fair,
  r.middle - c.fair AS gap,
  c.yes_fair,
  c.no_fair,
  c.model_error,
  c.standard_error,
  c.books,
  c.yes_ask,
  c.no_ask,
  c.yes_net_edge,
  c.no_net_edge,
  GREATEST(COALESCE(c.yes_net_edge, -1), COALESCE(c.no_net_edge, -1)) AS best_net_edge,
  c.yes_quantity,
  c.no_quantity,
  r.liquidity,
  r.round_trip_cost,
  c.starts_at,
  c.observed_at
FROM compared AS c
LEFT JOIN `${dataset}.prop_rungs_current` AS r ON r.ticker = c.ticker
