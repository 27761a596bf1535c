-- What the desk has asked of the venue to end a position at a price, and what became of it: a stop or a take-profit a row,
-- from before it is sent until it fired or ended (packages/trading/protection/protection.ts). A few a position: all are kept,
-- as orders are.
-- compatible_from: 0008
CREATE TABLE protections (
  algo_cl_ord_id VARCHAR(32) PRIMARY KEY,            -- the desk's id of it; the venue's, of one without
  trading_mode VARCHAR(20) NOT NULL CHECK (trading_mode IN ('demo','live')),
  exchange VARCHAR(20) NOT NULL,
  instrument VARCHAR(64) NOT NULL,
  episode UUID,                                      -- the position that it ends; null: the books had none yet
  kind VARCHAR(4) NOT NULL CHECK (kind IN ('stop','tp')),
  side VARCHAR(4) NOT NULL CHECK (side IN ('buy','sell')),
  trigger NUMERIC(38,18) NOT NULL CHECK (trigger > 0),
  size NUMERIC(38,18) CHECK (size > 0),              -- null: whatever is held when it is triggered
  status VARCHAR(10) NOT NULL CHECK (status IN ('wanted','sending','live','effective','canceled','failed','gone')),
  algo_id VARCHAR(64),                               -- the venue's id; null: not seen there yet
  child_order_id VARCHAR(100),                       -- the order that it placed; null: none
  reason TEXT,                                       -- why the venue did not take it, or ended it
  exposed_at TIMESTAMPTZ NOT NULL,                   -- since when what is held had no stop, by the venue's clock
  wanted_at TIMESTAMPTZ NOT NULL,                    -- the look that found it missing
  live_at TIMESTAMPTZ,                               -- since when it waits, by the venue's clock
  ended_at TIMESTAMPTZ,
  version INT NOT NULL DEFAULT 0,                    -- a look that read an older one writes nothing
  CHECK ((status IN ('effective','canceled','failed','gone')) = (ended_at IS NOT NULL)),
  CHECK (status <> 'live' OR live_at IS NOT NULL)
);
-- Those that have not ended, and those that ended of late.
CREATE INDEX idx_protections_ended ON protections (trading_mode, exchange, ended_at);
