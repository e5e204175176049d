-- What happened while nobody looked: of the home's machinery, or of one person's account. The same again is counted.
CREATE TABLE notices (
    id              INTEGER PRIMARY KEY,
    kind            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    -- Whose account it is about; NULL: for who looks after the home.
    person          INTEGER,
    path            TEXT NOT NULL,
    words           TEXT NOT NULL,
    first           INTEGER NOT NULL,
    last            INTEGER NOT NULL,
    times           INTEGER NOT NULL
);
CREATE INDEX notices_last ON notices (last);
-- What somebody has read: a notice up to a time; 0 stands for all of them.
CREATE TABLE notice_marks (
    person          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    notice          INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    PRIMARY KEY (person, notice)
);
