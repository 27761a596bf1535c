-- Watches a test database behind scripts/pgbouncer.sh, which calls pooler.release() after every transaction, in the
-- session that served it. What the transaction left there is noted and taken away: behind a pooler the next transaction
-- of the client may be served by another session.
CREATE SCHEMA pooler;
CREATE TABLE pooler.session_state (what text NOT NULL);

CREATE FUNCTION pooler.release() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  found text[];
BEGIN
  SELECT array_agg(what) INTO found FROM (
    -- The pooler itself sets the first two, and carries them over for each client; the others end with a transaction.
    SELECT 'SET ' || name AS what FROM pg_settings
      WHERE source = 'session' AND name NOT IN ('client_encoding', 'application_name',
        'transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
    UNION ALL SELECT 'PREPARE ' || statement FROM pg_prepared_statements
    UNION ALL SELECT 'LISTEN ' || channel FROM pg_listening_channels() AS channel
    UNION ALL SELECT 'cursor ' || statement FROM pg_cursors WHERE is_holdable
    UNION ALL SELECT 'advisory lock' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'temporary ' || relname FROM pg_class
      WHERE relnamespace = pg_my_temp_schema() AND relkind IN ('r', 'v', 'S')
  ) AS state;
  IF found IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO pooler.session_state SELECT unnest(found);
  RESET ALL;
  UNLISTEN *;
  DISCARD TEMP;
  EXECUTE 'DEALLOCATE ALL';
  PERFORM pg_advisory_unlock_all();
END
$$;
