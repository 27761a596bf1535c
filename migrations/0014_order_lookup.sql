-- An order is explained by what its instrument did before it, and is found by the beginning of its client order id.
-- compatible_from: 0009
CREATE INDEX idx_orders_lane ON orders (trading_mode, exchange, instrument, decided_at DESC);
CREATE INDEX idx_orders_client_prefix ON orders (client_order_id text_pattern_ops);
