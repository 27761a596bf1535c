-- A trigger for each row sees no TRUNCATE: the trail of orders is kept from one as the audit log is.
-- compatible_from: 0004
CREATE TRIGGER order_events_no_truncate BEFORE TRUNCATE ON order_events
  FOR EACH STATEMENT EXECUTE FUNCTION app_append_only();
