-- The journal of one data directory. What else is kept in the same file stands in migrations/.
--
-- rid: the run's number, in order of creation; short, so that an event's key is.
-- live: 1 until the run's status is terminal.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE run (
  rid INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  org_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  status TEXT NOT NULL,
  live INTEGER NOT NULL,
  environment TEXT NOT NULL, -- `testing` and `evaluation`: runs that lists leave out
  seq INTEGER NOT NULL, -- of the run's last event
  body TEXT NOT NULL, -- the whole row as JSON
  cache_key BLOB -- of all that the run's result follows from, once it can be had again
);

-- Seed 004 names a run by the first 24 hex digits of its id: they must name one run only. So they find it, too:
-- a unique index on the whole id besides would cost each run a page of log and tell nothing new.
CREATE UNIQUE INDEX run_short_id ON run (substr(run_id, 5, 24));
CREATE INDEX run_live ON run (rid) WHERE live = 1;
CREATE INDEX run_ended ON run (status, rid) WHERE live = 0;
CREATE INDEX run_project ON run (project_id, rid);
CREATE INDEX run_environment ON run (project_id, environment, rid) WHERE environment <> 'production';
CREATE INDEX run_workflow ON run (workflow_id, rid);
CREATE INDEX run_cache ON run (cache_key, rid) WHERE cache_key IS NOT NULL;

CREATE TABLE event (
  rid INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  body TEXT NOT NULL, -- the event as JSON, its large fields in the payload store
  PRIMARY KEY (rid, seq)
) WITHOUT ROWID;

-- The order of commits over all runs: which events each append brought.
CREATE TABLE appended (
  position INTEGER PRIMARY KEY,
  rid INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL
);

-- What people were asked. The task itself is the event `task_created` at (rid, seq).
CREATE TABLE task (
  rid INTEGER NOT NULL,
  task_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  step_id TEXT NOT NULL,
  created_at INTEGER NOT NULL, -- ms since 1970
  open INTEGER NOT NULL, -- 1 until it is decided, or nobody waits for it any more
  PRIMARY KEY (rid, task_id)
) WITHOUT ROWID;

CREATE INDEX task_by_id ON task (task_id);
CREATE INDEX task_by_age ON task (created_at, rid, seq) WHERE open = 1;

-- By key the event that has a step's result, which can be had again.
CREATE TABLE step_result (
  cache_key BLOB PRIMARY KEY,
  rid INTEGER NOT NULL,
  seq INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX step_result_run ON step_result (rid);

-- Which payloads outside of the database each run's events refer to. rid 0: nobody any more, the file is to be removed.
CREATE TABLE payload (
  ref TEXT NOT NULL,
  rid INTEGER NOT NULL,
  PRIMARY KEY (ref, rid)
) WITHOUT ROWID;

CREATE INDEX payload_run ON payload (rid);

-- What was deleted for good and may still be kept elsewhere: ids of workflows and of runs; `*`: of runs too many to be named.
CREATE TABLE removal (
  id TEXT PRIMARY KEY
) WITHOUT ROWID;
