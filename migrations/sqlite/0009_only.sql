-- Accounts, and the invitations that make them, for some services alone: their names, a blank between two; empty: for whatever the role opens.
ALTER TABLE users ADD COLUMN confined TEXT NOT NULL DEFAULT '';
ALTER TABLE invitations ADD COLUMN confined TEXT NOT NULL DEFAULT '';
