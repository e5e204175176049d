INSERT INTO notices (id, kind, subject, person, path, words, first, last, times) VALUES (1, 'service-failed', 'photos', NULL, '/services/photos', 'it ended with 1', 1764000000000, 1764000060000, 3);
INSERT INTO notice_marks (person, notice, at) VALUES (1, 1, 1764000000000);
