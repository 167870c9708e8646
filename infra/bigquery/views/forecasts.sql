-- Question: What was forecast of each market that has ended, by whom, and how did it end?
-- Grain: one row per source and forecast: traded (one per order that filled, for the side bought), books (the last
--   pooled bookmaker view of YES before the start) and exchange (the middle of the exchange's quotes at that moment).
-- Units: probability 0 to 1; won is 1 or 0; markets that ended neither YES nor NO are left out.
WITH traded AS (
  SELECT order_id, MIN(filled_at) AS made_at
  FROM `${dataset}.fills_once`
  GROUP BY order_id
),
assessed AS (
  SELECT opportunity_id, ticker, event_ticker, league, side, ask, fair.multiplicative AS probability, observed_at
  FROM `${dataset}.stg_opportunities`
  WHERE observed_at < starts_at
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ticker, side ORDER BY observed_at DESC, event_id) = 1
),
sides AS (
  SELECT
    y.ticker, y.event_ticker, y.league, y.probability, y.observed_at,
    IF(y.observed_at = n.observed_at, (y.ask + 1000000 - n.ask) / 2000000, NULL) AS middle
  FROM assessed AS y
  LEFT JOIN assessed AS n ON n.ticker = y.ticker AND n.side = 'no'
  WHERE y.side = 'yes'
),
made AS (
  SELECT
    'traded' AS source, o.mode, o.ticker, o.event_ticker, o.league, o.side,
    o.fair_probability AS probability, t.made_at
  FROM traded AS t
  JOIN `${dataset}.orders_current` AS o ON o.order_id = t.order_id
  UNION ALL
  SELECT 'books', '', ticker, event_ticker, league, 'yes', probability, observed_at FROM sides
  UNION ALL
  SELECT 'exchange', '', ticker, event_ticker, league, 'yes', middle, observed_at FROM sides
)
SELECT
  made.source,
  made.mode,
  made.ticker,
  made.event_ticker,
  made.league,
  made.side,
  made.probability,
  IF(r.result = made.side, 1, 0) AS won,
  made.made_at,
  r.settled_at
FROM made
JOIN `${dataset}.market_results` AS r ON r.ticker = made.ticker
WHERE r.result IN ('yes', 'no') AND made.probability IS NOT NULL
