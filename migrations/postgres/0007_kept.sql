-- What Hearth has found out about the home, or has still to say, by name: a few rows.
CREATE TABLE kept (
    name            TEXT PRIMARY KEY,
    value           TEXT NOT NULL
);
-- Until 0006 applications were told every address; now those that somebody vouches for. `hearth serve` says so once.
INSERT INTO kept (name, value)
    SELECT 'say.emails', 'once' WHERE EXISTS (SELECT 1 FROM users WHERE email IS NOT NULL AND NOT email_vouched);
