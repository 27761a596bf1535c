-- Every change of the account's balance, as the venue wrote it: what equity is explained by. Code that knows nothing of it
-- goes on as before.
-- compatible_from: 0005
CREATE TABLE bills (
  trading_mode VARCHAR(20) NOT NULL CHECK (trading_mode IN ('demo','live')),
  exchange VARCHAR(20) NOT NULL,
  bill_id NUMERIC(38,0) NOT NULL,                    -- ascends as the venue wrote them: the cursor of what was seen
  type VARCHAR(20) NOT NULL,                         -- the venue's own words
  sub_type VARCHAR(20) NOT NULL,
  kind VARCHAR(20) NOT NULL,                         -- what they mean; 'unknown' is an alarm
  asset VARCHAR(64) NOT NULL,                        -- the currency that changed
  instrument VARCHAR(64),
  at TIMESTAMPTZ NOT NULL,
  change NUMERIC(38,18) NOT NULL,
  balance NUMERIC(38,18) NOT NULL,                   -- of that currency, after it
  pnl NUMERIC(38,18) NOT NULL,
  fee NUMERIC(38,18) NOT NULL,                       -- a cost: negative = rebate
  exchange_order_id VARCHAR(100),
  exchange_trade_id VARCHAR(100),
  PRIMARY KEY (trading_mode, exchange, bill_id)
);
CREATE INDEX idx_bills_time ON bills (trading_mode, exchange, at);

-- Equity in units: a transfer issues or burns them, so it is no result. And the balance as the bills explain it.
ALTER TABLE equity_snapshots
  ADD COLUMN units NUMERIC(38,18) NOT NULL DEFAULT 1 CHECK (units > 0),
  ADD COLUMN cash NUMERIC(38,18),                    -- what bills add up to; null: not compared with them
  ADD COLUMN unrealized NUMERIC(38,18),              -- equity less cash
  ADD COLUMN bill_id NUMERIC(38,0),                  -- the newest bill that the balance has in it
  ADD COLUMN gap NUMERIC(38,18);                     -- what the bills do not explain of the cash since gap was 0
