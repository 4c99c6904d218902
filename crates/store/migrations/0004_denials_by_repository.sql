-- What was denied with git is grouped by repository. The column follows from the action alone, so it is nothing that could differ from it.
ALTER TABLE events ADD COLUMN repository TEXT
    GENERATED ALWAYS AS (CASE WHEN kind = 'git' THEN json_extract(action, '$.repo') END) VIRTUAL;

DROP INDEX events_denials;

CREATE INDEX events_denials ON events (agent, host, port, refusal, repository, time, seq) WHERE refusal IS NOT NULL;
