-- The state of the sealed part: `proof` is a sealed constant that only the master key in force
-- opens, none before the first use; `changes` grows with every change of a credential or a token.
CREATE TABLE vault (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    proof   TEXT,
    changes BIGINT NOT NULL
);

INSERT INTO vault (id, proof, changes) VALUES (1, NULL, 0);

-- One row per credential. `document` is its public part; `data_key` is the key of its secrets,
-- sealed under the master key together with everything else that the row says. A revoked one has
-- no key. Times are microseconds since the Unix epoch.
CREATE TABLE credentials (
    id       TEXT   NOT NULL PRIMARY KEY,
    name     TEXT   NOT NULL UNIQUE,
    version  BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    document TEXT   NOT NULL,
    data_key TEXT,
    created  BIGINT NOT NULL,
    rotated  BIGINT,
    revoked  BIGINT
);

-- The secret fields of credentials, each sealed under the data key of its row.
CREATE TABLE credential_secrets (
    credential TEXT NOT NULL REFERENCES credentials (id),
    field      TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    PRIMARY KEY (credential, field)
);

-- The tokens that stand for credentials, by their SHA-256; never the tokens themselves.
CREATE TABLE tokens (
    id      TEXT   NOT NULL PRIMARY KEY,
    digest  TEXT   NOT NULL UNIQUE,
    sandbox TEXT   NOT NULL,
    run     TEXT   NOT NULL,
    agent   TEXT   NOT NULL,
    scope   TEXT   NOT NULL,
    issued  BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT
);

CREATE INDEX tokens_by_sandbox ON tokens (sandbox);
CREATE INDEX tokens_by_end ON tokens (expires);
