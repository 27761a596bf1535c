-- What one unit of a fee's currency was worth in USDT when the fill was made, and which positions have a fee without such a
-- price: their `fees_paid` lacks it. An earlier release writes neither, and the next run asks for the prices again.
-- compatible_from: 0009
ALTER TABLE order_fills ADD COLUMN fee_price NUMERIC(38,18) CHECK (fee_price > 0);  -- null: not known, or USDT itself
CREATE INDEX idx_order_fills_unvalued ON order_fills (trading_mode, exchange)
  WHERE fee_price IS NULL AND fee_asset <> 'USDT' AND fee <> 0;
ALTER TABLE positions ADD COLUMN fees_unvalued BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE positions_archive ADD COLUMN fees_unvalued BOOLEAN NOT NULL DEFAULT false;
