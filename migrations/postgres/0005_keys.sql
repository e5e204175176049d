-- Other ways to sign in: who is whom at a provider of accounts, and passkeys. Times are milliseconds since 1970.

CREATE TABLE provider_links (
    issuer          TEXT NOT NULL,
    subject         TEXT NOT NULL,
    person          BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    made            BIGINT NOT NULL,
    last_used       BIGINT,
    PRIMARY KEY (issuer, subject),
    UNIQUE (person, issuer)
);
CREATE TABLE passkeys (
    credential      TEXT PRIMARY KEY,                   -- the id that the authenticator gave it, base64url
    id              TEXT NOT NULL UNIQUE,               -- the one that is shown
    person          BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    handle          TEXT NOT NULL,                      -- what the person is called towards authenticators: random
    name            TEXT NOT NULL,
    public          TEXT NOT NULL,                      -- public key, counter and what else is checked, JSON
    made            BIGINT NOT NULL,
    last_used       BIGINT
);
CREATE INDEX passkeys_person ON passkeys (person);
