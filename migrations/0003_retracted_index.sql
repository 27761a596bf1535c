-- What a block's work took back is read after every block (packages/db/ingest.ts). Without this each block reads the whole registry.
-- Small: it holds only what reorgs orphaned. Not CONCURRENTLY: each file runs in a transaction.
CREATE INDEX idx_event_refs_retracted ON event_refs (chain, reorged_at) WHERE reorged_at IS NOT NULL;
