-- Rows that a database of this version may hold: something in each of its tables. Both databases understand it.
INSERT INTO runs (id, project, began, ended, who, command, outcome, summary, plan) VALUES
    ('0a', 'home', '2026-11-24T12:00:00Z', '2026-11-24T12:00:04Z', 'joe (uid 1000, nas)', 'hearth up', 'done', '1 to create', '[{"steps":[]}]'),
    ('0b', 'home', '2026-11-24T13:00:00Z', NULL, 'joe', 'hearth down', 'running', 'ä', '[]');
INSERT INTO run_steps (run, round, step, words, outcome, detail) VALUES
    ('0a', 1, 0, 'create web', 'done', ''),
    ('0a', 1, 1, 'start web', 'failed', 'the port is taken');
INSERT INTO saved_plans (id, project, made, who, asked, plan, premises) VALUES
    ('0c', 'home', '2026-11-24T14:00:00Z', 'joe', '{}', '[]', '{"container web":"1f running"}');
