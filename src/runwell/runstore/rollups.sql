-- What analytics read: of each run one narrow row, made by a view of what is inserted into `runs`. Applied after schema.sql.
--
-- A view sees every insert: a run that is written again, with a higher `rev` or after a crash, comes again. So nothing is
-- added up here: a row replaces that of an older `rev`, as in `runs`, and it is read with FINAL. That it is narrow, with short
-- numbers as its key, makes that cheap: see docs/decisions/0024-analytics-read-one-narrow-row-a-run.md.
-- `run_facts` holds bytes of a run: whatever deletes from `runs` deletes from it, too.

CREATE TABLE IF NOT EXISTS run_facts (
  tenant UInt64,                            -- of org_id and project_id: what they are ordered by
  created_at Int64 CODEC(Delta, ZSTD(1)),
  run UUID,
  rev UInt64 CODEC(T64, ZSTD(1)),
  org_id LowCardinality(String),
  project_id LowCardinality(String),
  run_id String ALIAS concat('run_', replaceAll(toString(run), '-', '')),

  begun_at Int64 CODEC(Delta, ZSTD(1)),
  workflow_id LowCardinality(String),
  version Int64 CODEC(T64, ZSTD(1)),
  status LowCardinality(String),
  trigger LowCardinality(String),
  environment LowCardinality(String),
  archived UInt8,
  duration_ms Int64 CODEC(T64, ZSTD(1)),    -- -1: none

  input_tokens Int64 CODEC(T64, ZSTD(1)),
  cached_tokens Int64 CODEC(T64, ZSTD(1)),
  output_tokens Int64 CODEC(T64, ZSTD(1)),
  reasoning_tokens Int64 CODEC(T64, ZSTD(1)),
  generation_count Int64 CODEC(T64, ZSTD(1)),
  cost_nanos Int64 CODEC(T64, ZSTD(1)),
  cache_hits Int64 CODEC(T64, ZSTD(1)),
  saved_nanos Int64 CODEC(T64, ZSTD(1)),
  saved_ms Int64 CODEC(T64, ZSTD(1)),

  model Nested (                            -- one entry a model that it called
    name LowCardinality(String),
    calls Int64,
    input_tokens Int64,
    cached_tokens Int64,
    output_tokens Int64,
    reasoning_tokens Int64,
    cost_nanos Int64
  ),
  step_type Array(LowCardinality(String)),  -- one entry a step
  step_status Array(LowCardinality(String)),
  step_ms Array(Int64) CODEC(T64, ZSTD(1)), -- -1: none

  INDEX ix_begun begun_at TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(rev)
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(created_at, 'UTC'))
ORDER BY (tenant, created_at, run)
SETTINGS index_granularity = 8192, max_suspicious_broken_parts = 1000000, old_parts_lifetime = 0, finished_mutations_to_keep = 0,
  fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
  min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS run_facts_of_runs TO run_facts AS
SELECT
  sipHash64(org_id, project_id) AS tenant,
  created_at,
  toUUIDOrZero(substring(run_id, 5)) AS run,
  rev, org_id, project_id, begun_at, workflow_id, version, status, trigger, environment,
  archived_at != 0 AS archived,
  duration_ms, input_tokens, cached_tokens, output_tokens, reasoning_tokens, generation_count, cost_nanos,
  cache_hits, saved_nanos, saved_ms,
  models AS `model.name`,
  arrayMap(name -> countEqual(`generation.model`, name), models) AS `model.calls`,
  arrayMap(name -> arraySum((own, value) -> if(own = name, value, 0), `generation.model`, `generation.input_tokens`), models) AS `model.input_tokens`,
  arrayMap(name -> arraySum((own, value) -> if(own = name, value, 0), `generation.model`, `generation.cached_tokens`), models) AS `model.cached_tokens`,
  arrayMap(name -> arraySum((own, value) -> if(own = name, value, 0), `generation.model`, `generation.output_tokens`), models) AS `model.output_tokens`,
  arrayMap(name -> arraySum((own, value) -> if(own = name, value, 0), `generation.model`, `generation.reasoning_tokens`), models) AS `model.reasoning_tokens`,
  arrayMap(name -> arraySum((own, value) -> if(own = name, value, 0), `generation.model`, `generation.cost_nanos`), models) AS `model.cost_nanos`,
  `step.type` AS step_type,
  `step.status` AS step_status,
  `step.duration_ms` AS step_ms
FROM runs;
