UPDATE users SET email_vouched = TRUE WHERE id = 1;
INSERT INTO invitations (id, hash, role, note, made, made_by, maker, expires, uses_left) VALUES
    ('i2', 'h60', 'member', 'for grandpa', 1764000000000, 'ann', 1, 1774000000000, 2),
    ('i3', 'h61', 'viewer', '', 1764000000000, 'terminal', NULL, 1774000000000, 1);
