-- Question: Which player-prop markets does the exchange list, at what line, and how did they end?
-- Grain: one row per player-prop market with a mapping decision.
-- Units: line in the statistic's own unit (25+ is over 24.5); hit is 1 when YES won, 0 when NO won, else NULL;
--   payout_yes in micro-dollars per contract.
SELECT
  m.ticker,
  m.event_ticker,
  m.league,
  m.certificate.subject AS player,
  m.selection.market AS prop,
  m.certificate.line AS line,
  m.certificate.day AS game_day,
  m.odds_event_id,
  m.starts_at,
  m.is_certified,
  m.reason,
  r.result,
  r.payout_yes,
  CASE r.result WHEN 'yes' THEN 1 WHEN 'no' THEN 0 ELSE NULL END AS hit,
  r.settled_at
FROM `${dataset}.mappings_current` AS m
LEFT JOIN `${dataset}.market_results` AS r ON r.ticker = m.ticker
WHERE m.kind = 'player_prop'
