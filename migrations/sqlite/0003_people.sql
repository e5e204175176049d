-- People, and by what they are known. Of tokens only SHA-256 is here, of passwords a PHC string. Times are milliseconds since 1970.
CREATE TABLE users (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: tokens and files name it
    name            TEXT NOT NULL UNIQUE,               -- lower case
    email           TEXT UNIQUE,                        -- lower case
    display_name    TEXT NOT NULL,
    role            TEXT NOT NULL,                      -- viewer, member, operator, admin
    active          BOOLEAN NOT NULL,
    password        TEXT,
    version         INTEGER NOT NULL,                   -- counts changes: two who edit at once do not overwrite each other
    created         INTEGER NOT NULL,
    last_login      INTEGER
);
-- Those who were removed, and who has what was theirs.
CREATE TABLE departed (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL,
    heir            INTEGER,                            -- NULL: the admins, for 30 days
    at              INTEGER NOT NULL
);
CREATE TABLE teams (
    name            TEXT PRIMARY KEY,
    about           TEXT NOT NULL,
    created         INTEGER NOT NULL
);
CREATE TABLE memberships (
    person          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    team            TEXT NOT NULL REFERENCES teams (name) ON DELETE CASCADE,
    PRIMARY KEY (person, team)
);
CREATE INDEX memberships_team ON memberships (team);
CREATE TABLE invitations (
    id              TEXT PRIMARY KEY,
    hash            TEXT NOT NULL UNIQUE,
    role            TEXT NOT NULL,
    note            TEXT NOT NULL,
    made            INTEGER NOT NULL,
    made_by         TEXT NOT NULL,
    expires         INTEGER NOT NULL,
    uses_left       INTEGER NOT NULL
);
-- One row while the home has no admin.
CREATE TABLE setup (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    hash            TEXT NOT NULL,
    expires         INTEGER NOT NULL
);
CREATE TABLE sessions (
    id              TEXT PRIMARY KEY,
    hash            TEXT NOT NULL UNIQUE,
    person          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    parent          TEXT REFERENCES sessions (id) ON DELETE CASCADE,    -- of the session on the panel, for one on a routed host
    host            TEXT,
    device          TEXT NOT NULL,
    address         TEXT NOT NULL,
    made            INTEGER NOT NULL,
    last_used       INTEGER NOT NULL,
    expires         INTEGER NOT NULL
);
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX sessions_parent ON sessions (parent);
CREATE TABLE tokens (
    id              TEXT PRIMARY KEY,
    hash            TEXT NOT NULL UNIQUE,
    person          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    scopes          TEXT NOT NULL,                      -- read, operate, admin; blanks between
    made            INTEGER NOT NULL,
    expires         INTEGER,
    last_used       INTEGER
);
CREATE INDEX tokens_person ON tokens (person);
-- A program that has logged in: its refresh tokens, each good once, are one family. One that is shown twice was stolen, and ends it.
CREATE TABLE families (
    id              TEXT PRIMARY KEY,
    person          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device          TEXT NOT NULL,
    address         TEXT NOT NULL,
    made            INTEGER NOT NULL,
    last_used       INTEGER NOT NULL,
    expires         INTEGER NOT NULL
);
CREATE INDEX families_person ON families (person);
CREATE TABLE refresh_tokens (
    hash            TEXT PRIMARY KEY,
    family          TEXT NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    made            INTEGER NOT NULL,
    used            INTEGER
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE TABLE second_factors (
    person          INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret          TEXT NOT NULL,                      -- sealed with a key in the home's state
    confirmed       BOOLEAN NOT NULL,
    last_step       INTEGER,                            -- of the last code that was taken
    made            INTEGER NOT NULL
);
CREATE TABLE recovery_codes (
    person          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash            TEXT NOT NULL,
    used            INTEGER,
    PRIMARY KEY (person, hash)
);
-- From where an account has signed in: those places have a count of wrong passwords of their own.
CREATE TABLE places (
    person          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    household       TEXT NOT NULL,
    last            INTEGER NOT NULL,
    PRIMARY KEY (person, household)
);
