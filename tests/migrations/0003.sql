INSERT INTO users (id, name, email, display_name, role, active, password, version, created, last_login) VALUES
    (1, 'ann', 'ann@home.example', 'Ann', 'admin', TRUE, '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA', 3, 1764000000000, 1764000001000),
    (4, 'bob', NULL, 'Bob', 'member', FALSE, NULL, 1, 1764000000000, NULL);
INSERT INTO departed (id, name, heir, at) VALUES (2, 'eve', 1, 1764000002000);
INSERT INTO teams (name, about, created) VALUES ('family', 'all of us', 1764000000000);
INSERT INTO memberships (person, team) VALUES (1, 'family'), (4, 'family');
INSERT INTO invitations (id, hash, role, note, made, made_by, expires, uses_left) VALUES
    ('i1', 'h1', 'member', 'for grandma', 1764000000000, 'ann', 1774000000000, 2);
INSERT INTO setup (id, hash, expires) VALUES (1, 'h2', 1774000000000);
INSERT INTO sessions (id, hash, person, parent, host, device, address, made, last_used, expires) VALUES
    ('b', 'h3', 1, NULL, NULL, 'Firefox', '192.168.1.5', 1764000000000, 1764000001000, 1774000000000);
INSERT INTO sessions (id, hash, person, parent, host, device, address, made, last_used, expires) VALUES
    ('a', 'h4', 1, 'b', 'media.home.example', 'Firefox', '192.168.1.5', 1764000000000, 1764000001000, 1774000000000);
INSERT INTO tokens (id, hash, person, name, scopes, made, expires, last_used) VALUES
    ('t1', 'h5', 1, 'backup', 'read operate', 1764000000000, NULL, NULL);
INSERT INTO families (id, person, device, address, made, last_used, expires) VALUES
    ('f1', 4, 'app', 'fd00::1', 1764000000000, 1764000001000, 1774000000000);
INSERT INTO refresh_tokens (hash, family, made, used) VALUES ('h6', 'f1', 1764000000000, 1764000001000), ('h7', 'f1', 1764000001000, NULL);
INSERT INTO second_factors (person, secret, confirmed, last_step, made) VALUES (1, 'sealed', TRUE, 58800000, 1764000000000);
INSERT INTO recovery_codes (person, hash, used) VALUES (1, 'h8', NULL), (1, 'h9', 1764000001000);
INSERT INTO places (person, household, last) VALUES (1, '192.168.1.5', 1764000000000);
