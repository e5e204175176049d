-- Who answers for what: for an invitation whoever made it, for an e-mail address somebody else than the person.
ALTER TABLE invitations ADD COLUMN maker INTEGER REFERENCES users (id) ON DELETE CASCADE;      -- NULL: made at the machine's terminal
UPDATE invitations SET maker = (SELECT id FROM users WHERE users.name = invitations.made_by);
DELETE FROM invitations WHERE maker IS NULL AND made_by <> 'terminal';
CREATE INDEX invitations_maker ON invitations (maker);
ALTER TABLE users ADD COLUMN email_vouched BOOLEAN NOT NULL DEFAULT FALSE;     -- an admin, or the provider of accounts, says that it is theirs
UPDATE users SET email_vouched = TRUE WHERE role = 'admin' AND email IS NOT NULL;
