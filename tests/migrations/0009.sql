UPDATE users SET confined = 'films photos' WHERE id = 4;
UPDATE invitations SET confined = 'photos' WHERE id = 'i2';
