-- The run store's tables: the same in this process (chdb) and on a server. Statements end with a semicolon at the end of a line.
-- A change here needs a new VERSION in schema.py: the tables are then dropped and filled again from the journal.
--
-- One row a run, and everything about it in that row: a row with a higher `rev` replaces it whole, steps and generations
-- included, so that nothing of an older revision is ever counted. Always read with FINAL, always through `tenancy.py`.
-- Times are ms since 1970 UTC; 0 is none. `duration_ms` -1 is none, `score` NaN is none. Texts are empty where there is none.

CREATE TABLE IF NOT EXISTS runs (
  org_id LowCardinality(String),
  project_id LowCardinality(String),
  created_at Int64 CODEC(Delta, ZSTD(1)),
  run_id String CODEC(ZSTD(1)),
  rev UInt64,

  workflow_id LowCardinality(String),
  workflow_slug LowCardinality(String),
  workflow_name LowCardinality(String),
  kind LowCardinality(String),
  version Int64 CODEC(T64, ZSTD(1)),
  version_hash LowCardinality(String),
  status LowCardinality(String),
  waiting_for LowCardinality(String),
  failure_code LowCardinality(String),
  failed_step LowCardinality(String),
  error_message String CODEC(ZSTD(3)),
  trigger LowCardinality(String),
  environment LowCardinality(String),
  root_run_id String CODEC(ZSTD(1)),
  parent_run_id String CODEC(ZSTD(1)),
  source_run_id String CODEC(ZSTD(1)),
  served_from String CODEC(ZSTD(1)),

  started_at Int64 CODEC(Delta, ZSTD(1)),
  ended_at Int64 CODEC(Delta, ZSTD(1)),
  begun_at Int64 CODEC(Delta, ZSTD(1)),     -- started_at, or created_at of a run that has not started
  duration_ms Int64 CODEC(T64, ZSTD(1)),
  queue_ms Int64 CODEC(T64, ZSTD(1)),
  waited_ms Int64 CODEC(T64, ZSTD(1)),

  input_tokens Int64 CODEC(T64, ZSTD(1)),
  cached_tokens Int64 CODEC(T64, ZSTD(1)),
  output_tokens Int64 CODEC(T64, ZSTD(1)),
  reasoning_tokens Int64 CODEC(T64, ZSTD(1)),
  generation_count Int64 CODEC(T64, ZSTD(1)),
  cost_nanos Int64 CODEC(T64, ZSTD(1)),
  cache_hits Int64 CODEC(T64, ZSTD(1)),
  saved_nanos Int64 CODEC(T64, ZSTD(1)),    -- what having results from the cache saved
  saved_ms Int64 CODEC(T64, ZSTD(1)),
  tool_calls Int64 CODEC(T64, ZSTD(1)),
  step_count Int64 CODEC(T64, ZSTD(1)),
  comments Int64 CODEC(T64, ZSTD(1)),

  models Array(LowCardinality(String)),     -- of its generations, each once
  providers Array(LowCardinality(String)),
  tags Array(LowCardinality(String)),
  metadata_keys Array(LowCardinality(String)),
  metadata_values Array(String) CODEC(ZSTD(1)),
  review LowCardinality(String),
  score Float64,
  archived_at Int64 CODEC(ZSTD(1)),

  kv Array(String) CODEC(ZSTD(3)),          -- see search/flatten.py
  num_paths Array(LowCardinality(String)),
  num_values Array(Float64) CODEC(ZSTD(1)),
  text String CODEC(ZSTD(3)),

  step Nested (                             -- one entry a step: ARRAY JOIN step
    path String,
    id LowCardinality(String),
    type LowCardinality(String),
    status LowCardinality(String),
    attempts Int64,
    started_at Int64,
    duration_ms Int64,                      -- -1: none
    error_code LowCardinality(String)
  ),
  generation Nested (                       -- one entry a model call: ARRAY JOIN generation
    at Int64,
    step_path String,
    provider LowCardinality(String),
    model LowCardinality(String),
    ok UInt8,
    latency_ms Float64,
    first_token_ms Float64,                 -- NaN: none
    input_tokens Int64,
    cached_tokens Int64,
    output_tokens Int64,
    reasoning_tokens Int64,
    cost_nanos Int64
  ),

  card String CODEC(ZSTD(3)),               -- JSON of what a list row needs: a ListedRun, with previews of what follows
  input String CODEC(ZSTD(3)),              -- JSON
  output String CODEC(ZSTD(3)),             -- JSON
  steps String CODEC(ZSTD(3)),              -- JSON of its StepRecords
  generations String CODEC(ZSTD(3)),        -- JSON of its GenerationRecords
  bytes Int64 CODEC(T64, ZSTD(1)),          -- of card, input, output, steps and generations together

  INDEX ix_kv kv TYPE text(tokenizer = 'array'),
  INDEX ix_text text TYPE text(tokenizer = 'splitByNonAlpha'),
  INDEX ix_begun begun_at TYPE minmax GRANULARITY 1,
  INDEX ix_workflow workflow_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ix_run run_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ix_root root_run_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ix_parent parent_run_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ix_source source_run_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(rev)
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(created_at, 'UTC'))
ORDER BY (org_id, project_id, created_at, run_id)
SETTINGS index_granularity = 1024, max_suspicious_broken_parts = 1000000, old_parts_lifetime = 0,
  fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

-- What comes with a checkpoint is durable before it: a power cut may lose the checkpoint, never a run before it.
CREATE TABLE IF NOT EXISTS checkpoint (
  name LowCardinality(String),
  position UInt64
) ENGINE = ReplacingMergeTree(position) ORDER BY name
SETTINGS max_suspicious_broken_parts = 1000000, old_parts_lifetime = 0,
  fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
