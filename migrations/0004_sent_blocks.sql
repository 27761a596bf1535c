-- The newest blocks that were sent to the queue, whether they are ingested yet or not: where a fork is found. `anchor` is the
-- block after which following began: it was never sent, and is replaced when the chain leaves it (packages/db/chain/blocks.ts).
CREATE TABLE sent_blocks (
  chain VARCHAR(20) NOT NULL REFERENCES chains(chain),
  number BIGINT NOT NULL,
  hash VARCHAR(128) NOT NULL,
  anchor BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (chain, number)
);
