-- The journal in a PostgreSQL database: the same tables as schema.sql's. What else is kept there stands in migrations/.
--
-- Texts have no NUL, which PostgreSQL cannot hold: JSON escapes it, and so does `stored` elsewhere.
-- rid: the run's number, in order of creation; short, so that an event's key is.
-- live: until the run's status is terminal.

-- One row. epoch: how many times the journal was taken by a process; the owner's writes ask for it.
CREATE TABLE journal_owner (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  schema_version integer NOT NULL,
  epoch bigint NOT NULL,
  owner text NOT NULL, -- for people
  last_rid bigint NOT NULL DEFAULT 0, -- how far numbers went that must not come again though what had them was deleted
  last_position bigint NOT NULL DEFAULT 0
);

-- Every append changes its run's row: the room left in a page lets the new one stay there, with no change of an index.
CREATE TABLE run (
  rid bigint PRIMARY KEY,
  run_id text COLLATE "C" NOT NULL,
  org_id text NOT NULL,
  project_id text NOT NULL,
  workflow_id text NOT NULL,
  workflow_slug text NOT NULL,
  status text NOT NULL,
  live boolean NOT NULL,
  environment text NOT NULL, -- `testing` and `evaluation`: runs that lists leave out
  seq integer NOT NULL, -- of the run's last event
  body text NOT NULL, -- the whole row as JSON
  cache_key bytea -- of all that the run's result follows from, once it can be had again
) WITH (fillfactor = 70);

-- Seed 004 names a run by the first 24 hex digits of its id: they must name one run only. So they find it, too.
CREATE UNIQUE INDEX run_short_id ON run (substr(run_id, 5, 24));
CREATE INDEX run_live ON run (rid) WHERE live;
CREATE INDEX run_ended ON run (status, rid) WHERE NOT live;
CREATE INDEX run_project ON run (project_id, rid);
CREATE INDEX run_environment ON run (project_id, environment, rid) WHERE environment <> 'production';
CREATE INDEX run_workflow ON run (workflow_id, rid);
CREATE INDEX run_cache ON run (cache_key, rid) WHERE cache_key IS NOT NULL;

CREATE TABLE event (
  rid bigint NOT NULL,
  seq integer NOT NULL,
  type text NOT NULL,
  step_id text,
  body text NOT NULL, -- the event as JSON, its large fields in the payload store
  PRIMARY KEY (rid, seq)
);

-- The order of commits over all runs: which events each append brought.
CREATE TABLE appended (
  position bigint PRIMARY KEY,
  rid bigint NOT NULL,
  first_seq integer NOT NULL,
  last_seq integer NOT NULL
);

-- What people were asked. The task itself is the event `task_created` at (rid, seq).
CREATE TABLE task (
  rid bigint NOT NULL,
  task_id text NOT NULL,
  seq integer NOT NULL,
  step_id text NOT NULL,
  created_at bigint NOT NULL, -- ms since 1970
  open boolean NOT NULL, -- until it is decided, or nobody waits for it any more
  PRIMARY KEY (rid, task_id)
);

CREATE INDEX task_by_id ON task (task_id);
CREATE INDEX task_by_age ON task (created_at, rid, seq) WHERE open;

-- By key the event that has a step's result, which can be had again.
CREATE TABLE step_result (
  cache_key bytea PRIMARY KEY,
  rid bigint NOT NULL,
  seq integer NOT NULL
);

CREATE INDEX step_result_run ON step_result (rid);

-- What was deleted for good and may still be kept elsewhere: ids of workflows and of runs; `*`: of runs too many to be named.
CREATE TABLE removal (
  id text COLLATE "C" PRIMARY KEY
);
