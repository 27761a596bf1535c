-- The functions' role may own nothing (packages/db/desk-role.ts): it reads and writes rows. What upkeep does to tables it
-- does as their owner, through these functions.

-- Not the caller's search path: what is named here must not be something that the caller made.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION app_ts_maintain(timestamptz) SECURITY DEFINER SET search_path = %I, public, pg_temp', current_schema());
END $$;

CREATE FUNCTION app_refresh_performance() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  REFRESH MATERIALIZED VIEW CONCURRENTLY daily_performance;
END $$;

-- Rows that no partition was made for; 0 on hypertables. They are stored and found, but every query reads them.
CREATE FUNCTION app_stray_rows() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE pol time_series_policies; total bigint := 0; found bigint;
BEGIN
  FOR pol IN SELECT * FROM time_series_policies WHERE backend = 'partition' LOOP
    EXECUTE format('SELECT count(*) FROM %I', pol.table_name || '_default') INTO found;
    total := total + found;
  END LOOP;
  RETURN total;
END $$;

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['app_refresh_performance', 'app_stray_rows'] LOOP
    EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, public, pg_temp', name, current_schema());
  END LOOP;
END $$;
