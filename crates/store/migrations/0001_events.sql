-- The log: every record that was ever taken in, chained by hash. It is the only truth; the tables
-- below it are drawn from it, and `verify` recomputes them.
CREATE TABLE entries (
    seq        BIGINT NOT NULL PRIMARY KEY,
    source     TEXT   NOT NULL,
    run        TEXT   NOT NULL,
    spool_seq  BIGINT NOT NULL,
    spool_hash TEXT   NOT NULL,
    spool_end  BIGINT NOT NULL,
    record     TEXT   NOT NULL,
    prev       TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    UNIQUE (run, source, spool_seq)
);

-- One row per action, for filters and counts; times are microseconds since the Unix epoch.
-- `refusal` is the code of the denial, be it by the decision or after it.
CREATE TABLE events (
    seq         BIGINT NOT NULL PRIMARY KEY,
    id          TEXT   NOT NULL UNIQUE,
    parent      TEXT,
    time        BIGINT NOT NULL,
    run         TEXT   NOT NULL,
    sandbox     TEXT   NOT NULL,
    agent       TEXT   NOT NULL,
    workspace   TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    host        TEXT   NOT NULL,
    port        BIGINT NOT NULL,
    effect      TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    rule        TEXT,
    generation  BIGINT NOT NULL,
    action      TEXT   NOT NULL,
    refusal     TEXT,
    closed_seq  BIGINT UNIQUE,
    closed_at   BIGINT,
    outcome     TEXT,
    sent        BIGINT,
    received    BIGINT,
    duration_us BIGINT
);

CREATE INDEX events_by_time ON events (time, seq);
CREATE INDEX events_by_agent ON events (agent, time, seq);
CREATE INDEX events_by_host ON events (host, time, seq);
CREATE INDEX events_by_run ON events (run, time, seq);
CREATE INDEX events_refused ON events (time, seq) WHERE refusal IS NOT NULL;
CREATE INDEX events_denials ON events (agent, host, port, refusal, time, seq) WHERE refusal IS NOT NULL;

-- What is not an action: a run that starts, a finding, a policy that was loaded.
CREATE TABLE notices (
    seq   BIGINT NOT NULL PRIMARY KEY,
    time  BIGINT NOT NULL,
    run   TEXT   NOT NULL,
    agent TEXT   NOT NULL,
    kind  TEXT   NOT NULL
);

CREATE INDEX notices_by_run ON notices (run, seq);

-- The signed end of the log: one row, replaced with every commit, so that no older head is there
-- to fall back to.
CREATE TABLE head (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash TEXT   NOT NULL,
    time BIGINT NOT NULL,
    mac  TEXT   NOT NULL
);
