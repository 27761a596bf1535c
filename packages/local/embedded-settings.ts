/** How an embedded database is opened. One session and a day of rows: PostgreSQL's default buffers would be most of the memory. */
export const SMALL = { postgresqlconf: ["shared_buffers=32MB", "wal_buffers=1MB", "max_connections=4"] };
