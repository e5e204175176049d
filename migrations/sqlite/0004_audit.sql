-- What was done, and what was refused: entries are added and never changed. Each holds a hash over itself and the hash of the one before.
CREATE TABLE audit (
    -- 1, 2, 3 without gaps: two processes cannot both write the next one.
    seq         INTEGER PRIMARY KEY,
    -- Milliseconds since 1970.
    at          INTEGER NOT NULL,
    -- user, token, terminal, system, nobody
    kind        TEXT NOT NULL,
    who         TEXT NOT NULL,
    -- The account behind it. No reference: an entry outlives the account.
    user_id     INTEGER,
    source      TEXT NOT NULL,
    action      TEXT NOT NULL,
    object      TEXT NOT NULL,
    -- done, refused, failed
    outcome     TEXT NOT NULL,
    -- Milliseconds.
    took        INTEGER NOT NULL,
    request     TEXT NOT NULL,
    -- JSON, without secrets.
    detail      TEXT NOT NULL,
    hash        TEXT NOT NULL
);
CREATE INDEX audit_by_user ON audit (user_id, seq);
CREATE INDEX audit_by_time ON audit (at);

-- One row: where the chain ends, so that a tail that was taken away is missed; and up to where it was cut off by age or size.
CREATE TABLE audit_head (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    seq         INTEGER NOT NULL,
    hash        TEXT NOT NULL,
    cut_seq     INTEGER NOT NULL,
    cut_hash    TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, hash, cut_seq, cut_hash) VALUES (1, 0, '', 0, '');
