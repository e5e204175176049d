-- What happened while nobody looked: of the home's machinery, or of one person's account. The same again is counted.
CREATE TABLE notices (
    id              BIGINT PRIMARY KEY,
    kind            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    -- Whose account it is about; NULL: for who looks after the home.
    person          BIGINT,
    path            TEXT NOT NULL,
    words           TEXT NOT NULL,
    first           BIGINT NOT NULL,
    last            BIGINT NOT NULL,
    times           BIGINT NOT NULL
);
CREATE INDEX notices_last ON notices (last);
-- What somebody has read: a notice up to a time; 0 stands for all of them.
CREATE TABLE notice_marks (
    person          BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    notice          BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (person, notice)
);
