-- Notices are listed among the events: each way to narrow a listing has the order of time.
DROP INDEX notices_by_run;

CREATE INDEX notices_by_time ON notices (time, seq);
CREATE INDEX notices_by_agent ON notices (agent, time, seq);
CREATE INDEX notices_by_run ON notices (run, time, seq);
