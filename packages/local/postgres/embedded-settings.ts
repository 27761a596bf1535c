/**
 * How an embedded database is opened. One session and a day of rows: PostgreSQL's default buffers would be most of the memory.
 * Statements are prepared, and their plan is kept: over partitions it takes longer to plan one than to run it, and
 * PostgreSQL, left alone, plans such a statement every time, since knowing the values lets it leave partitions out.
 */
export const SMALL = {
  postgresqlconf: ["shared_buffers=32MB", "wal_buffers=1MB", "max_connections=4", "plan_cache_mode=force_generic_plan"],
};
