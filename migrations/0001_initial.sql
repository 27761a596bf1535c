-- The schema of the desk. It runs unchanged, inside one transaction, on
--   * TimescaleDB, Apache edition (hypertables; app_ts_maintain drops old chunks)
--   * TimescaleDB, Community edition (the same, and its own retention policies)
--   * PostgreSQL 15 and newer without the extension (range partitions), PGlite included.
-- Reasons for what differs from the schema first asked for: docs/decisions/0001-schema.md.
-- SET app.disable_timescale = 'on' before it forces partitions on a server that has the extension.

-- Capabilities

-- CREATE EXTENSION timescaledb on a server that does not preload it ends the session, which EXCEPTION cannot catch. So the
-- loader's own setting is looked for, which any role may read.
DO $$
BEGIN
  IF coalesce(current_setting('app.disable_timescale', true), 'off') <> 'on'
     AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL
     AND EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb') THEN
    BEGIN
      CREATE EXTENSION IF NOT EXISTS timescaledb;
    EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN
      RAISE NOTICE 'timescaledb not installed (%), using native partitions', SQLERRM;
    END;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector') THEN
    BEGIN
      CREATE EXTENSION IF NOT EXISTS vector;
    EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN
      RAISE NOTICE 'vector not installed (%), embedding falls back to real[]', SQLERRM;
    END;
  END IF;
END $$;

-- 'plain' | 'apache' | 'timescale'
CREATE FUNCTION app_ts_edition() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN coalesce(current_setting('app.disable_timescale', true), 'off') <> 'on'
               AND EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb')
              THEN coalesce(current_setting('timescaledb.license', true), 'apache')
              ELSE 'plain' END $$;

-- One row per time-series table.
CREATE TABLE time_series_policies (
  table_name     TEXT PRIMARY KEY,
  backend        TEXT NOT NULL CHECK (backend IN ('hypertable','partition')),  -- fixed at creation
  chunk_interval INTERVAL NOT NULL,          -- days/hours only (date_bin takes no months)
  keep           INTERVAL NOT NULL,
  premake        INT NOT NULL DEFAULT 1      -- native only: partitions made ahead; each one costs every query planning time
);

-- Creates the missing partitions for [p_from, p_to); does nothing on a hypertable.
-- Rows that fell into the DEFAULT partition are moved. CREATE + ATTACH (not PARTITION OF):
-- SHARE UPDATE EXCLUSIVE on the parent, so inserts go on meanwhile.
CREATE FUNCTION app_ts_ensure(p_table text, p_from timestamptz, p_to timestamptz)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  pol time_series_policies; lo timestamptz; hi timestamptz; child text; made int := 0;
BEGIN
  SELECT * INTO STRICT pol FROM time_series_policies WHERE table_name = p_table;
  IF pol.backend = 'hypertable' THEN RETURN 0; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('app_ts:' || p_table, 0));  -- xact level: safe behind RDS Proxy
  PERFORM set_config('lock_timeout', '3s', true);
  lo := date_bin(pol.chunk_interval, p_from, timestamptz '1970-01-01 00:00:00+00');  -- where TimescaleDB starts its chunks
  WHILE lo < p_to LOOP
    hi := lo + pol.chunk_interval;
    child := format('%s_p%s', p_table, to_char(lo AT TIME ZONE 'UTC', 'YYYYMMDDHH24'));
    IF to_regclass(quote_ident(child)) IS NULL THEN
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', child, p_table);
      EXECUTE format('WITH m AS (DELETE FROM %I WHERE "timestamp" >= %L AND "timestamp" < %L RETURNING *)
                      INSERT INTO %I SELECT * FROM m', p_table || '_default', lo, hi, child);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', p_table, child, lo, hi);
      made := made + 1;
    END IF;
    lo := hi;
  END LOOP;
  RETURN made;
END $$;

-- Drops whole chunks or partitions that end at or before p_before and returns their names.
CREATE FUNCTION app_ts_drop_before(p_table text, p_before timestamptz)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE pol time_series_policies; r record;
BEGIN
  SELECT * INTO STRICT pol FROM time_series_policies WHERE table_name = p_table;
  PERFORM set_config('lock_timeout', '3s', true);
  IF pol.backend = 'hypertable' THEN
    RETURN QUERY EXECUTE 'SELECT c::text FROM drop_chunks($1::regclass, older_than => $2) AS c'
                 USING quote_ident(p_table), p_before;
    RETURN;
  END IF;
  FOR r IN
    SELECT c.oid::regclass::text AS part
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass(quote_ident(p_table))
      AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
      AND substring(pg_get_expr(c.relpartbound, c.oid) FROM $r$TO \('([^']+)'\)$r$)::timestamptz <= p_before
    ORDER BY 1
  LOOP
    EXECUTE 'DROP TABLE ' || r.part;       -- possible because no FK points at these tables
    RETURN NEXT r.part;
  END LOOP;
  EXECUTE format('DELETE FROM %I WHERE "timestamp" < $1', p_table || '_default')
    USING date_bin(pol.chunk_interval, p_before, timestamptz '1970-01-01 00:00:00+00');
END $$;

-- The one place that knows both backends. p_body is everything between the parentheses.
CREATE FUNCTION app_ts_create(p_table text, p_body text, p_chunk interval, p_keep interval)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE ed text := app_ts_edition();
BEGIN
  INSERT INTO time_series_policies(table_name, backend, chunk_interval, keep)
  VALUES (p_table, CASE ed WHEN 'plain' THEN 'partition' ELSE 'hypertable' END, p_chunk, p_keep);
  IF ed = 'plain' THEN
    EXECUTE format('CREATE TABLE %I (%s) PARTITION BY RANGE ("timestamp")', p_table, p_body);
    -- safety net: an out-of-range row is stored, not lost; alert when it is not empty
    EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', p_table || '_default', p_table);
  ELSE
    EXECUTE format('CREATE TABLE %I (%s)', p_table, p_body);
    EXECUTE 'SELECT create_hypertable($1::regclass, ''timestamp''::name, chunk_time_interval => $2, create_default_indexes => false)'
      USING quote_ident(p_table), p_chunk;
    BEGIN   -- Community / Tiger Cloud only; Apache raises feature_not_supported
      EXECUTE 'SELECT add_retention_policy($1::regclass, drop_after => $2, if_not_exists => true)'
        USING quote_ident(p_table), p_keep;
    EXCEPTION WHEN feature_not_supported OR undefined_function THEN
      RAISE NOTICE '%: no retention policy in this edition, app_ts_maintain() drops chunks', p_table;
    END;
  END IF;
END $$;

CREATE FUNCTION app_touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.updated_at := now(); RETURN NEW; END $$;

CREATE FUNCTION app_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- Identity

CREATE TABLE users (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  email VARCHAR(255) NOT NULL,
  password_hash VARCHAR(255) NOT NULL,
  trading_mode VARCHAR(20) NOT NULL DEFAULT 'demo' CHECK (trading_mode IN ('demo','live')),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  last_login TIMESTAMPTZ,
  is_active BOOLEAN NOT NULL DEFAULT true,
  two_fa_enabled BOOLEAN NOT NULL DEFAULT false,
  two_fa_secret TEXT,
  CHECK (NOT two_fa_enabled OR two_fa_secret IS NOT NULL)
);
CREATE UNIQUE INDEX idx_users_email ON users (lower(email));
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION app_touch_updated_at();

-- Chains, tokens, wallets

CREATE TABLE chains (
  chain VARCHAR(20) PRIMARY KEY,
  family VARCHAR(10) NOT NULL CHECK (family IN ('evm','svm','utxo','tron','move','offchain')),
  confirmations INT NOT NULL DEFAULT 12 CHECK (confirmations >= 0)
);
INSERT INTO chains(chain, family, confirmations) VALUES
  ('ethereum','evm',64), ('base','evm',64), ('arbitrum','evm',64), ('optimism','evm',64),
  ('polygon','evm',128), ('bsc','evm',15), ('solana','svm',32), ('bitcoin','utxo',6),
  ('tron','tron',20), ('hyperliquid','offchain',0);

-- What an asset's name stands for on a chain.
CREATE TABLE tokens (
  id UUID PRIMARY KEY,
  chain VARCHAR(20) NOT NULL REFERENCES chains(chain),
  address VARCHAR(128) NOT NULL,                     -- 'native' for the chain's coin
  symbol VARCHAR(64) NOT NULL,                       -- not unique: scam tokens reuse symbols
  asset VARCHAR(64) NOT NULL,                        -- what it is priced as: WETH → ETH, WBTC → BTC
  decimals SMALLINT NOT NULL CHECK (decimals BETWEEN 0 AND 77),
  is_verified BOOLEAN NOT NULL DEFAULT false,
  UNIQUE (chain, address),
  CHECK (address !~* '^0x' OR address = lower(address))
);

CREATE TABLE wallets (
  id UUID PRIMARY KEY,
  address VARCHAR(128) NOT NULL,
  label VARCHAR(100),
  chain VARCHAR(20) NOT NULL DEFAULT 'ethereum' REFERENCES chains(chain),
  first_seen_at TIMESTAMPTZ NOT NULL,
  last_activity TIMESTAMPTZ,
  is_active BOOLEAN NOT NULL DEFAULT true,             -- the watch list
  watched_since TIMESTAMPTZ NOT NULL,                  -- is_first_since_watch counts from here
  tags TEXT[] NOT NULL DEFAULT '{}',
  metadata JSONB NOT NULL DEFAULT '{}',
  CONSTRAINT wallets_chain_address_key UNIQUE (chain, address),
  -- Checksum case must not make a second wallet; base58 keeps its case.
  CONSTRAINT wallets_address_canonical CHECK (address !~* '^0x' OR address ~ '^0x([0-9a-f]{40}|[0-9a-f]{64})$')
);
CREATE INDEX idx_wallets_address ON wallets (address);   -- lookup across chains
CREATE INDEX idx_wallets_active ON wallets (chain, address) WHERE is_active;
CREATE INDEX idx_wallets_tags ON wallets USING gin (tags);

-- Who an address is, as far as somebody said so: exchange, bridge, fund, router, mev. Each with its source and date.
CREATE TABLE labels (
  chain VARCHAR(20) NOT NULL REFERENCES chains(chain),
  address VARCHAR(128) NOT NULL,
  kind VARCHAR(30) NOT NULL,
  name VARCHAR(100) NOT NULL,
  source VARCHAR(100) NOT NULL,
  labelled_on DATE NOT NULL,
  PRIMARY KEY (chain, address, kind),
  CHECK (address !~* '^0x' OR address = lower(address))
);

-- Chain ingestion: cursor, reorgs, idempotency

CREATE TABLE block_cursors (
  chain VARCHAR(20) NOT NULL REFERENCES chains(chain),
  stream VARCHAR(50) NOT NULL DEFAULT 'main',
  last_number BIGINT NOT NULL CHECK (last_number >= 0),   -- newest block sent to the queue
  last_hash VARCHAR(128) NOT NULL,
  safe_number BIGINT NOT NULL DEFAULT 0,
  finalized_number BIGINT NOT NULL DEFAULT 0,
  lease_owner TEXT,                                  -- one watcher at a time
  lease_until TIMESTAMPTZ,
  fence BIGINT NOT NULL DEFAULT 0,                   -- grows with each lease; a write with an old fence is refused
  updated_at TIMESTAMPTZ NOT NULL,                   -- time of the work
  PRIMARY KEY (chain, stream)
);
-- Recent headers. A parent hash that differs is a reorganisation.
CREATE TABLE chain_blocks (
  chain VARCHAR(20) NOT NULL REFERENCES chains(chain),
  number BIGINT NOT NULL,
  hash VARCHAR(128) NOT NULL,
  parent_hash VARCHAR(128) NOT NULL,
  "timestamp" TIMESTAMPTZ NOT NULL,
  observed_at TIMESTAMPTZ NOT NULL,                  -- when the desk saw it: entry prices count from here
  tx_count INT NOT NULL,
  log_count INT NOT NULL,
  transfer_count INT NOT NULL,
  PRIMARY KEY (chain, number)
);

-- Flat registry of events. It is (1) the idempotency key, which a partitioned table
-- cannot hold without the timestamp, (2) the FK target of event_analysis and orders, so
-- that chunks can be dropped, (3) the link to wallets, so that hypertables need no FK.
CREATE TABLE event_refs (
  id UUID PRIMARY KEY,
  "timestamp" TIMESTAMPTZ NOT NULL,                  -- block time; prunes chunks in joins
  wallet_id UUID NOT NULL REFERENCES wallets(id),
  chain VARCHAR(20) NOT NULL REFERENCES chains(chain),
  tx_hash VARCHAR(128) NOT NULL,
  log_index INT NOT NULL DEFAULT -1,                 -- -1 = the transaction itself
  trace_address TEXT NOT NULL DEFAULT '',            -- internal calls
  block_number BIGINT,
  block_hash VARCHAR(128),
  reorged_at TIMESTAMPTZ,                            -- orphaned; the row stays for the audit
  CHECK (tx_hash !~* '^0x' OR tx_hash = lower(tx_hash))
);
-- Partial, so that a transaction mined again after a reorganisation can be recorded.
CREATE UNIQUE INDEX event_refs_natural_key ON event_refs (chain, tx_hash, log_index, trace_address, wallet_id)
  WHERE reorged_at IS NULL;
CREATE INDEX idx_event_refs_block ON event_refs (chain, block_number) WHERE reorged_at IS NULL;
CREATE INDEX idx_event_refs_timestamp ON event_refs ("timestamp");   -- pruning
CREATE INDEX idx_event_refs_wallet ON event_refs (wallet_id);        -- FK side of wallets

-- Time series (hypertable or native partitions)

-- No foreign key goes in or out of a hypertable: making a chunk would lock the other table, dropping one could fail.
SELECT app_ts_create('wallet_scores', $body$
  wallet_id UUID NOT NULL,
  "timestamp" TIMESTAMPTZ NOT NULL,
  credibility_1h  NUMERIC(3,1) CHECK (credibility_1h  BETWEEN 0 AND 10),
  credibility_4h  NUMERIC(3,1) CHECK (credibility_4h  BETWEEN 0 AND 10),
  credibility_24h NUMERIC(3,1) CHECK (credibility_24h BETWEEN 0 AND 10),
  equity_usd NUMERIC(20,2),
  trading_volume_24h NUMERIC(20,2) CHECK (trading_volume_24h >= 0),
  win_rate NUMERIC(5,4) CHECK (win_rate BETWEEN 0 AND 1),
  archetype VARCHAR(50),
  evidence JSONB,                                    -- per horizon: probability, bets, effective bets, mean, t, q
  PRIMARY KEY (wallet_id, "timestamp")
$body$, INTERVAL '7 days', INTERVAL '180 days');

-- The newest score of each wallet.
CREATE TABLE wallet_latest_scores (
  wallet_id UUID PRIMARY KEY REFERENCES wallets(id),
  "timestamp" TIMESTAMPTZ NOT NULL,
  credibility_1h NUMERIC(3,1), credibility_4h NUMERIC(3,1), credibility_24h NUMERIC(3,1),
  equity_usd NUMERIC(20,2), trading_volume_24h NUMERIC(20,2), win_rate NUMERIC(5,4), archetype VARCHAR(50), evidence JSONB
) WITH (fillfactor = 70);                            -- updated often, in place
CREATE INDEX idx_wallet_latest_scores_4h ON wallet_latest_scores (credibility_4h DESC NULLS LAST);

SELECT app_ts_create('events', $body$
  id UUID NOT NULL,                                  -- equals event_refs.id
  "timestamp" TIMESTAMPTZ NOT NULL,
  wallet_id UUID NOT NULL,
  tx_hash VARCHAR(128) NOT NULL,                     -- unique in event_refs
  event_type VARCHAR(50) NOT NULL,
  asset VARCHAR(64),
  amount NUMERIC CHECK (amount >= 0 AND amount < 'Infinity'),  -- whole tokens, exact; the check stops NaN too
  notional_usd NUMERIC(24,2),
  size_fraction NUMERIC(18,6) CHECK (size_fraction >= 0),
  venue VARCHAR(50),
  gas_price NUMERIC(38,9),                           -- gwei
  is_first_since_watch BOOLEAN NOT NULL DEFAULT false,
  raw_data JSONB,                                    -- big integers as strings
  processed_at TIMESTAMPTZ NOT NULL DEFAULT now(),   -- wall clock, left out of the digest
  chain VARCHAR(20) NOT NULL DEFAULT 'ethereum',
  log_index INT NOT NULL DEFAULT -1,
  block_number BIGINT,
  block_hash VARCHAR(128),
  token_address VARCHAR(128),                        -- 'native' or the token contract
  direction SMALLINT NOT NULL DEFAULT 0 CHECK (direction IN (-1, 0, 1)),  -- +1 the wallet gained the asset
  counterparty VARCHAR(128),                         -- the other side, where it is one address
  observed_at TIMESTAMPTZ NOT NULL,                  -- when the desk saw the block
  PRIMARY KEY (id, "timestamp")
$body$, INTERVAL '7 days', INTERVAL '90 days');
CREATE INDEX idx_events_wallet ON events (wallet_id, "timestamp" DESC);
CREATE INDEX idx_events_type ON events (event_type, "timestamp" DESC);
CREATE INDEX idx_events_timestamp ON events ("timestamp" DESC);         -- live feed

SELECT app_ts_create('bias', $body$
  "timestamp" TIMESTAMPTZ NOT NULL,
  asset VARCHAR(64) NOT NULL,
  timeframe VARCHAR(10) NOT NULL CHECK (timeframe IN ('1h','4h','24h')),
  value NUMERIC(7,6) NOT NULL CHECK (value > -1 AND value < 1),
  components JSONB,
  confidence NUMERIC(4,3) CHECK (confidence BETWEEN 0 AND 1),
  PRIMARY KEY (asset, timeframe, "timestamp")
$body$, INTERVAL '7 days', INTERVAL '30 days');
CREATE INDEX idx_bias_asset ON bias (asset, "timestamp" DESC);

-- Candles of one venue; "timestamp" is the bar's open
SELECT app_ts_create('prices', $body$
  instrument VARCHAR(64) NOT NULL,
  bar_seconds INT NOT NULL CHECK (bar_seconds > 0),
  "timestamp" TIMESTAMPTZ NOT NULL,
  open NUMERIC(38,18) NOT NULL CHECK (open > 0 AND open < 'Infinity'),
  high NUMERIC(38,18) NOT NULL CHECK (high > 0 AND high < 'Infinity'),
  low NUMERIC(38,18) NOT NULL CHECK (low > 0 AND low < 'Infinity'),
  close NUMERIC(38,18) NOT NULL CHECK (close > 0 AND close < 'Infinity'),
  volume NUMERIC(38,18) NOT NULL DEFAULT 0 CHECK (volume >= 0),
  source VARCHAR(30) NOT NULL,
  CHECK (high >= low AND high >= open AND high >= close AND low <= open AND low <= close),
  PRIMARY KEY (instrument, bar_seconds, "timestamp")
$body$, INTERVAL '7 days', INTERVAL '400 days');

-- What the venue lists: sizes are multiples of the lot, prices of the tick
CREATE TABLE instruments (
  id VARCHAR(64) PRIMARY KEY,
  asset VARCHAR(64) NOT NULL,
  contract_size NUMERIC(38,18) NOT NULL CHECK (contract_size > 0),
  lot_size NUMERIC(38,18) NOT NULL CHECK (lot_size > 0),
  min_size NUMERIC(38,18) NOT NULL CHECK (min_size > 0),
  tick_size NUMERIC(38,18) NOT NULL CHECK (tick_size > 0),
  max_leverage NUMERIC(6,2) NOT NULL CHECK (max_leverage > 0),
  source VARCHAR(30) NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

-- One row per directional event and horizon, written when the horizon has passed and the block is final.
CREATE TABLE wallet_outcomes (
  event_id UUID NOT NULL REFERENCES event_refs(id),
  horizon VARCHAR(10) NOT NULL CHECK (horizon IN ('1h','4h','24h')),
  wallet_id UUID NOT NULL REFERENCES wallets(id),
  asset VARCHAR(64) NOT NULL,
  direction SMALLINT NOT NULL CHECK (direction IN (-1, 1)),
  entered_at TIMESTAMPTZ NOT NULL,
  entry_price NUMERIC(38,18) NOT NULL CHECK (entry_price > 0),
  exit_price NUMERIC(38,18) NOT NULL CHECK (exit_price > 0),
  forward_return DOUBLE PRECISION NOT NULL,          -- of the asset, as a fraction
  market_return DOUBLE PRECISION NOT NULL,
  beta DOUBLE PRECISION NOT NULL,
  volatility DOUBLE PRECISION NOT NULL CHECK (volatility > 0),
  excess DOUBLE PRECISION NOT NULL CHECK (excess BETWEEN -4 AND 4),  -- signed, after cost, in standard deviations, winsorised
  as_of TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (event_id, horizon)
);
CREATE INDEX idx_wallet_outcomes_wallet ON wallet_outcomes (wallet_id, horizon, entered_at);

CREATE TABLE event_analysis (
  event_id UUID PRIMARY KEY REFERENCES event_refs(id),
  llm_classification VARCHAR(100),
  llm_confidence NUMERIC(4,3) CHECK (llm_confidence BETWEEN 0 AND 1),
  llm_narrative TEXT,
  pattern_matched VARCHAR(100),
  bias_impact NUMERIC(4,3) CHECK (bias_impact BETWEEN -1 AND 1),
  proposed_action JSONB,
  source VARCHAR(10) NOT NULL DEFAULT 'rules' CHECK (source IN ('rules','model')),
  direction SMALLINT NOT NULL DEFAULT 0 CHECK (direction IN (-1, 0, 1)),
  confidence NUMERIC(4,3) NOT NULL CHECK (confidence BETWEEN 0 AND 1),              -- of the pattern
  features JSONB NOT NULL DEFAULT '{}',              -- what the rule saw
  analyzed_at TIMESTAMPTZ NOT NULL,                  -- time of the work, not the wall clock
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  llm_model VARCHAR(100),                            -- which model and prompt said so
  prompt_version VARCHAR(50)
);
-- vector(768) where pgvector is there, else a checked real[].
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'vector') THEN
    EXECUTE 'ALTER TABLE event_analysis ADD COLUMN embedding vector(768)';
    EXECUTE 'CREATE INDEX idx_event_analysis_embedding ON event_analysis USING hnsw (embedding vector_cosine_ops)';
  ELSE
    EXECUTE 'ALTER TABLE event_analysis ADD COLUMN embedding real[] CHECK (cardinality(embedding) = 768)';
  END IF;
END $$;

-- What an event adds to the bias of an asset at a timeframe: w and d are frozen at event time
CREATE TABLE bias_contributions (
  event_id UUID NOT NULL REFERENCES event_refs(id),
  asset VARCHAR(64) NOT NULL,
  timeframe VARCHAR(10) NOT NULL CHECK (timeframe IN ('1h','4h','24h')),
  wallet_id UUID NOT NULL REFERENCES wallets(id),
  at TIMESTAMPTZ NOT NULL,                           -- when the event was observed: decay counts from here
  channel VARCHAR(40) NOT NULL,
  d DOUBLE PRECISION NOT NULL CHECK (d BETWEEN -1 AND 1),
  w DOUBLE PRECISION NOT NULL CHECK (w BETWEEN 0 AND 1),
  factors JSONB NOT NULL,                            -- credibility, size, fraction, quality, novelty, each in [0, 1]
  PRIMARY KEY (event_id, asset, timeframe)
);
CREATE INDEX idx_bias_contributions_asset ON bias_contributions (asset, timeframe, at);

-- Trading

CREATE TABLE positions (
  id UUID PRIMARY KEY,
  opened_at TIMESTAMPTZ NOT NULL,
  closed_at TIMESTAMPTZ,
  trading_mode VARCHAR(20) NOT NULL CHECK (trading_mode IN ('demo','live')),
  asset VARCHAR(64) NOT NULL,
  side VARCHAR(10) NOT NULL CHECK (side IN ('long','short')),
  entry_price NUMERIC(38,18) CHECK (entry_price > 0 AND entry_price < 'NaN'),
  exit_price NUMERIC(38,18) CHECK (exit_price > 0 AND exit_price < 'NaN'),
  size NUMERIC(38,18) CHECK (size > 0 AND size < 'NaN'),
  leverage NUMERIC(6,2) NOT NULL DEFAULT 1 CHECK (leverage > 0),
  unrealized_pnl NUMERIC(24,8),
  realized_pnl NUMERIC(24,8),
  fees_paid NUMERIC(24,8) NOT NULL DEFAULT 0,
  funding_paid NUMERIC(24,8) NOT NULL DEFAULT 0,
  max_drawdown NUMERIC(12,4),
  holding_time INTERVAL,
  risk_consumed NUMERIC(9,6) CHECK (risk_consumed >= 0),
  signal_wallet_id UUID REFERENCES wallets(id),
  exchange VARCHAR(20) NOT NULL DEFAULT 'okx',
  instrument VARCHAR(64) NOT NULL,
  contracts NUMERIC(38,18) NOT NULL DEFAULT 0,       -- signed net contracts; size is in the asset
  mark_price NUMERIC(38,18) CHECK (mark_price > 0),  -- behind unrealized_pnl
  stop_price NUMERIC(38,18) CHECK (stop_price > 0),
  updated_at TIMESTAMPTZ NOT NULL,                   -- time of the work
  CHECK (closed_at IS NULL OR closed_at >= opened_at)
);
CREATE UNIQUE INDEX idx_positions_open ON positions (trading_mode, exchange, instrument) WHERE closed_at IS NULL;
CREATE INDEX idx_positions_closed ON positions (closed_at) WHERE closed_at IS NOT NULL; -- reports, archiving
CREATE INDEX idx_positions_signal_wallet ON positions (signal_wallet_id);

CREATE TABLE orders (
  id UUID PRIMARY KEY,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  trading_mode VARCHAR(20) NOT NULL CHECK (trading_mode IN ('demo','live')),
  exchange VARCHAR(20) NOT NULL DEFAULT 'okx',
  client_order_id VARCHAR(100) UNIQUE NOT NULL,      -- OKX itself takes at most 32 alphanumerics
  exchange_order_id VARCHAR(100),
  asset VARCHAR(64) NOT NULL,
  side VARCHAR(10) NOT NULL CHECK (side IN ('buy','sell')),
  order_type VARCHAR(20) NOT NULL CHECK (order_type IN ('market','limit','post_only','fok','ioc','stop','take_profit')),
  size NUMERIC(38,18) NOT NULL CHECK (size > 0 AND size < 'NaN'),
  price NUMERIC(38,18) CHECK (price > 0 AND price < 'NaN'),
  status VARCHAR(20) NOT NULL DEFAULT 'proposed' CHECK (status IN
    ('proposed','denied','approved','submitting','open','partially_filled','filled','canceled','rejected','expired','unknown','quarantined')),
  filled_size NUMERIC(38,18) NOT NULL DEFAULT 0,
  avg_fill_price NUMERIC(38,18),
  fees NUMERIC(38,18) NOT NULL DEFAULT 0,
  stop_loss NUMERIC(38,18) CHECK (stop_loss > 0),
  take_profit NUMERIC(38,18)[],
  signal_event_id UUID REFERENCES event_refs(id),
  policy_snapshot JSONB,
  error_message TEXT,
  updated_at TIMESTAMPTZ NOT NULL,                   -- time of the work
  requested_by UUID REFERENCES users(id),            -- null = the desk itself
  instrument VARCHAR(64) NOT NULL,
  reduce_only BOOLEAN NOT NULL DEFAULT false,
  timeframe VARCHAR(10),                             -- of the bias that asked for it
  bias_at TIMESTAMPTZ,
  decided_at TIMESTAMPTZ NOT NULL,                   -- time of the work
  epoch BIGINT NOT NULL DEFAULT 0,                   -- of trading_control at approval
  exp_time TIMESTAMPTZ,                              -- stored at claim; the venue refuses the order later
  risk_usd NUMERIC(24,8) NOT NULL DEFAULT 0,         -- reserved at approval
  position_id UUID,                                  -- no FK: positions move to positions_archive
  signal_snapshot JSONB,                             -- the event as it was when the order was made
  version INT NOT NULL DEFAULT 0,                    -- optimistic lock
  CHECK (filled_size >= 0 AND filled_size <= size),
  CHECK (order_type = 'market' OR price IS NOT NULL)
);
CREATE INDEX idx_orders_status ON orders (status, created_at)
  WHERE status IN ('proposed','approved','submitting','open','partially_filled','unknown','quarantined');
CREATE UNIQUE INDEX orders_exchange_order_id_key ON orders (exchange, trading_mode, exchange_order_id) WHERE exchange_order_id IS NOT NULL;
CREATE INDEX idx_orders_decided ON orders (decided_at DESC);
CREATE INDEX idx_orders_signal_event ON orders (signal_event_id) WHERE signal_event_id IS NOT NULL;  -- FK side

-- Exchange trades, exactly once.
CREATE TABLE order_fills (
  trading_mode VARCHAR(20) NOT NULL CHECK (trading_mode IN ('demo','live')),
  exchange VARCHAR(20) NOT NULL,
  instrument VARCHAR(64) NOT NULL,
  exchange_trade_id VARCHAR(100) NOT NULL,
  order_id UUID REFERENCES orders(id),               -- null: not ours
  side VARCHAR(10) NOT NULL CHECK (side IN ('buy','sell')),
  filled_at TIMESTAMPTZ NOT NULL,
  size NUMERIC(38,18) NOT NULL CHECK (size > 0),     -- contracts
  price NUMERIC(38,18) NOT NULL CHECK (price > 0),
  fee NUMERIC(38,18) NOT NULL DEFAULT 0,             -- a cost: negative = rebate
  fee_asset VARCHAR(64) NOT NULL,
  liquidity VARCHAR(10) NOT NULL CHECK (liquidity IN ('maker','taker')),
  PRIMARY KEY (trading_mode, exchange, instrument, exchange_trade_id)
);
CREATE INDEX idx_order_fills_order ON order_fills (order_id);
CREATE INDEX idx_order_fills_time ON order_fills (trading_mode, exchange, instrument, filled_at);

-- Audit trail of one order, hash-chained.
CREATE TABLE order_events (
  order_id UUID NOT NULL REFERENCES orders(id),
  seq INT NOT NULL,                                  -- equals the order's version after it
  at TIMESTAMPTZ NOT NULL,
  from_status VARCHAR(20),
  to_status VARCHAR(20) NOT NULL,
  detail JSONB NOT NULL DEFAULT '{}',
  prev_hash CHAR(64) NOT NULL,                       -- 64 zeros for the first
  hash CHAR(64) NOT NULL,                            -- sha256 over prev_hash and this row
  PRIMARY KEY (order_id, seq)
);
CREATE TRIGGER order_events_append_only BEFORE UPDATE OR DELETE ON order_events
  FOR EACH ROW EXECUTE FUNCTION app_append_only();

-- Signed: negative = paid.
CREATE TABLE funding_payments (
  trading_mode VARCHAR(20) NOT NULL CHECK (trading_mode IN ('demo','live')),
  exchange VARCHAR(20) NOT NULL,
  bill_id VARCHAR(100) NOT NULL,
  instrument VARCHAR(64) NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  amount NUMERIC(38,18) NOT NULL,
  PRIMARY KEY (trading_mode, exchange, bill_id)
);

CREATE TABLE equity_snapshots (
  trading_mode VARCHAR(20) NOT NULL CHECK (trading_mode IN ('demo','live')),
  exchange VARCHAR(20) NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  equity NUMERIC(24,8) NOT NULL,
  available NUMERIC(24,8) NOT NULL,
  PRIMARY KEY (trading_mode, exchange, at)
);

-- The kill switch.
CREATE TABLE trading_control (
  trading_mode VARCHAR(20) PRIMARY KEY CHECK (trading_mode IN ('demo','live')),
  state VARCHAR(10) NOT NULL CHECK (state IN ('ACTIVE','REDUCING','HALTED')),
  epoch BIGINT NOT NULL DEFAULT 1,                   -- a new epoch voids orders approved under an older one
  reason TEXT NOT NULL,
  actor VARCHAR(100) NOT NULL,
  changed_at TIMESTAMPTZ NOT NULL
);
-- demo trades at once; live is off until a person arms it
INSERT INTO trading_control(trading_mode, state, reason, actor, changed_at) VALUES
  ('demo', 'ACTIVE', 'initial', 'migration', '2001-01-01 00:00:00+00'),
  ('live', 'HALTED', 'not armed', 'migration', '2001-01-01 00:00:00+00');

CREATE TABLE positions_archive (LIKE positions INCLUDING ALL);  -- after positions is final; LIKE copies no FK and no trigger

-- Reports, notifications, audit

CREATE TABLE reports (
  id UUID PRIMARY KEY,
  period_start TIMESTAMPTZ NOT NULL,
  period_end TIMESTAMPTZ NOT NULL,
  report_type VARCHAR(20) NOT NULL DEFAULT '4h',
  summary_markdown TEXT,
  metrics JSONB,
  notable_events JSONB,
  delivered_at TIMESTAMPTZ,
  push_sent BOOLEAN NOT NULL DEFAULT false,          -- per report; per device see notification_deliveries
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  CHECK (period_end > period_start),
  UNIQUE (report_type, period_start)
);
CREATE INDEX idx_reports_period ON reports (period_end DESC);

CREATE TABLE audit_logs (
  id UUID PRIMARY KEY,
  seq BIGINT NOT NULL UNIQUE,                        -- the chain's order
  "timestamp" TIMESTAMPTZ NOT NULL,
  user_id UUID REFERENCES users(id),
  action VARCHAR(100) NOT NULL,
  entity_type VARCHAR(50),
  entity_id UUID,
  old_value JSONB,
  new_value JSONB,
  ip_address INET,
  user_agent TEXT,
  trace_id VARCHAR(100),
  prev_hash CHAR(64) NOT NULL,                       -- tamper evidence
  hash CHAR(64) NOT NULL UNIQUE
);
CREATE INDEX idx_audit_timestamp ON audit_logs ("timestamp" DESC);
CREATE INDEX idx_audit_trace ON audit_logs (trace_id);
CREATE INDEX idx_audit_entity ON audit_logs (entity_type, entity_id, "timestamp" DESC);
CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE ON audit_logs
  FOR EACH ROW EXECUTE FUNCTION app_append_only();
CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs
  FOR EACH STATEMENT EXECUTE FUNCTION app_append_only();

-- Views

-- The latest score, and the bias of a named timeframe.
CREATE VIEW active_positions_view AS
SELECT p.*,
       w.address AS signal_wallet,
       s.credibility_4h AS wallet_credibility,
       b.value AS current_bias
FROM positions p
LEFT JOIN wallets w ON p.signal_wallet_id = w.id
LEFT JOIN wallet_latest_scores s ON s.wallet_id = p.signal_wallet_id
LEFT JOIN LATERAL (
  SELECT value FROM bias
  WHERE bias.asset = p.asset AND bias.timeframe = '4h'
  ORDER BY bias."timestamp" DESC LIMIT 1
) b ON true
WHERE p.closed_at IS NULL;

-- Counts the archive too, or a refresh after archiving would erase history. Days are UTC.
CREATE MATERIALIZED VIEW daily_performance AS
SELECT (closed_at AT TIME ZONE 'UTC')::date AS date,
       trading_mode,
       count(*) AS total_trades,
       round(count(*) FILTER (WHERE realized_pnl > 0)::numeric / nullif(count(*), 0), 4) AS win_rate,
       sum(realized_pnl) AS total_pnl,
       avg(realized_pnl) AS avg_pnl,
       max(realized_pnl) AS best_trade,
       min(realized_pnl) AS worst_trade,
       avg(coalesce(holding_time, closed_at - opened_at)) AS avg_holding_time
FROM (SELECT closed_at, opened_at, holding_time, trading_mode, realized_pnl FROM positions
      UNION ALL
      SELECT closed_at, opened_at, holding_time, trading_mode, realized_pnl FROM positions_archive) p
WHERE closed_at IS NOT NULL
GROUP BY 1, 2;
CREATE UNIQUE INDEX daily_performance_key ON daily_performance (date, trading_mode);  -- for REFRESH ... CONCURRENTLY
CREATE VIEW daily_performance_view AS SELECT * FROM daily_performance;  -- the other name it goes by

-- Jobs

-- Moves closed positions. One statement, so a crash loses nothing.
CREATE FUNCTION app_archive_positions(p_before timestamptz) RETURNS bigint LANGUAGE sql AS $$
  WITH moved AS (DELETE FROM positions WHERE closed_at < p_before RETURNING *),
       ins AS (INSERT INTO positions_archive SELECT * FROM moved RETURNING 1)
  SELECT count(*) FROM ins $$;

-- Deletes registry rows whose event is gone and that nothing refers to.
CREATE FUNCTION app_prune_event_refs(p_before timestamptz, p_limit int DEFAULT 10000) RETURNS bigint LANGUAGE sql AS $$
  WITH gone AS (
    DELETE FROM event_refs WHERE id IN (
      SELECT r.id FROM event_refs r
      WHERE r."timestamp" < p_before
        AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.signal_event_id = r.id)
        AND NOT EXISTS (SELECT 1 FROM event_analysis a WHERE a.event_id = r.id)
        AND NOT EXISTS (SELECT 1 FROM bias_contributions c WHERE c.event_id = r.id)
        AND NOT EXISTS (SELECT 1 FROM wallet_outcomes x WHERE x.event_id = r.id)
        AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = r.id AND e."timestamp" = r."timestamp")
      ORDER BY r.id
      LIMIT p_limit) RETURNING 1)
  SELECT count(*) FROM gone $$;

-- Takes everything above the fork out of the feed; the registry rows stay, marked with p_at.
CREATE FUNCTION app_reorg(p_chain text, p_fork bigint, p_at timestamptz) RETURNS bigint LANGUAGE sql AS $$
  WITH orphan AS (
    UPDATE event_refs SET reorged_at = p_at
    WHERE chain = p_chain AND block_number > p_fork AND reorged_at IS NULL
    RETURNING id, "timestamp"),
  ev AS (DELETE FROM events e USING orphan o WHERE e.id = o.id AND e."timestamp" = o."timestamp" RETURNING 1),
  bl AS (DELETE FROM chain_blocks WHERE chain = p_chain AND number > p_fork RETURNING 1)
  SELECT count(*) FROM orphan $$;

-- Daily, on any backend, as of p_now. A second caller at the same time returns at once.
CREATE FUNCTION app_ts_maintain(p_now timestamptz)
RETURNS TABLE (table_name text, made int, dropped text[]) LANGUAGE plpgsql AS $$
DECLARE pol time_series_policies; bin timestamptz;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('app_ts_maintain', 0)) THEN RETURN; END IF;
  FOR pol IN SELECT * FROM time_series_policies p ORDER BY p.table_name LOOP
    table_name := pol.table_name;
    made := app_ts_ensure(pol.table_name, p_now - pol.chunk_interval, p_now + pol.premake * pol.chunk_interval);
    IF pol.backend = 'partition' THEN   -- rows that came before their partition, as a history of candles does
      FOR bin IN EXECUTE format('SELECT DISTINCT date_bin($1, "timestamp", timestamptz ''1970-01-01 00:00:00+00'') FROM %I WHERE "timestamp" >= $2 ORDER BY 1',
                                pol.table_name || '_default') USING pol.chunk_interval, p_now - pol.keep LOOP
        made := made + app_ts_ensure(pol.table_name, bin, bin + pol.chunk_interval);
      END LOOP;
    END IF;
    dropped := ARRAY(SELECT app_ts_drop_before(pol.table_name, p_now - pol.keep));
    RETURN NEXT;
  END LOOP;
END $$;
