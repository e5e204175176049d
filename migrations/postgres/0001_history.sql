-- What was done: one row a command that changed something. Times are RFC 3339 in UTC, JSON is text.
CREATE TABLE runs (
    id          TEXT PRIMARY KEY,
    project     TEXT NOT NULL,
    began       TEXT NOT NULL,
    ended       TEXT,
    who         TEXT NOT NULL,
    command     TEXT NOT NULL,
    -- done, failed, interrupted; running while it runs, and for good where it was killed
    outcome     TEXT NOT NULL,
    summary     TEXT NOT NULL,
    plan        TEXT NOT NULL
);
CREATE INDEX runs_by_time ON runs (project, began DESC);

-- Outcome of each step of a run. `round` counts from 1: images come in a round of their own.
CREATE TABLE run_steps (
    run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    round       BIGINT NOT NULL,
    step        BIGINT NOT NULL,
    words       TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    detail      TEXT NOT NULL,
    PRIMARY KEY (run, round, step)
);

-- Plans kept by `plan --save`, to be applied by id while the world has not moved.
CREATE TABLE saved_plans (
    id          TEXT PRIMARY KEY,
    project     TEXT NOT NULL,
    made        TEXT NOT NULL,
    who         TEXT NOT NULL,
    asked       TEXT NOT NULL,
    plan        TEXT NOT NULL,
    premises    TEXT NOT NULL
);
