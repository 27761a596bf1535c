-- What people read a page at a time is found in the order of the page, whatever it is narrowed to: the events of an asset, the
-- large ones, the orders of an asset and of a status. An earlier release reads as before.
-- compatible_from: 0009
CREATE INDEX idx_events_asset ON events (asset, "timestamp" DESC);
CREATE INDEX idx_events_large ON events ("timestamp" DESC) WHERE notional_usd >= 100000;
CREATE INDEX idx_orders_asset ON orders (trading_mode, exchange, asset, decided_at DESC);
CREATE INDEX idx_orders_account_status ON orders (trading_mode, exchange, status, decided_at DESC);
