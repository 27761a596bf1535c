-- What the reconciliations of an instrument found, run after run: whether it was compared, since when books and venue differ
-- by the same, how often they agreed (packages/trading/positions/comparison.ts). One row an instrument of an account.
-- compatible_from: 0005
CREATE TABLE comparisons (
  trading_mode VARCHAR(20) NOT NULL CHECK (trading_mode IN ('demo','live')),
  exchange VARCHAR(20) NOT NULL,
  instrument VARCHAR(64) NOT NULL,
  since TIMESTAMPTZ,                                 -- the first run that compared it: what was traded before is not the desk's
  compared_at TIMESTAMPTZ,                           -- the newest run that compared it; null: none did
  compared_before TIMESTAMPTZ,                       -- the run before that one
  failed_at TIMESTAMPTZ,                             -- the newest run that could not
  failures INT NOT NULL DEFAULT 0 CHECK (failures >= 0), -- runs in a row that could not
  ours NUMERIC(38,18),                               -- the difference that is looked at; null: there is none
  theirs NUMERIC(38,18),
  position_at TIMESTAMPTZ,                           -- when the venue's position was changed last
  seen INT NOT NULL DEFAULT 0 CHECK (seen >= 0),     -- snapshots with that same difference
  seen_at TIMESTAMPTZ,                               -- the newest of them, by the venue's clock
  agreed INT NOT NULL DEFAULT 0 CHECK (agreed >= 0), -- runs in a row in which they agreed
  agreed_since TIMESTAMPTZ,
  lifted_at TIMESTAMPTZ,                             -- when this instrument's cause last lifted itself
  version INT NOT NULL DEFAULT 0,                    -- a run that read an older one writes nothing
  PRIMARY KEY (trading_mode, exchange, instrument)
);

-- Causes that alone keep the switch at REDUCING and that lift themselves; empty: a person loosens it.
ALTER TABLE trading_control ADD COLUMN lifts TEXT[] NOT NULL DEFAULT '{}';

-- Why a fill without an order of ours counts; null with an order, or where it does not count.
ALTER TABLE order_fills ADD COLUMN cause VARCHAR(20)
  CHECK (cause IN ('hand', 'liquidation', 'adl', 'delivery', 'adopted'));
