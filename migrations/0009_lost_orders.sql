-- A fill of an order of the desk's that the books do not have: they were restored from an older backup. An earlier release
-- calls it `hand`, which it may go on doing.
-- compatible_from: 0008
ALTER TABLE order_fills DROP CONSTRAINT order_fills_cause_check;
ALTER TABLE order_fills ADD CONSTRAINT order_fills_cause_check
  CHECK (cause IN ('hand', 'lost', 'liquidation', 'adl', 'delivery', 'adopted'));
