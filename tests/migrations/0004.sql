-- Hashes as they are made: `verify` has to find this chain whole.
INSERT INTO audit (seq, at, kind, who, user_id, source, action, object, outcome, took, request, detail, hash) VALUES
    (1, 1764000000000, 'user', 'ann', 1, '192.168.1.5', 'users.create', '/api/v1/users', 'done', 12, 'r1', '{"name":"bob"}', '28793bc9f617d027d2fd6725f49d5fbf97bd077f0d637170eec04fdc584593df'),
    (2, 1764000001000, 'nobody', '', NULL, '192.168.1.77', 'users.list', '/api/v1/users', 'refused', 1, 'r2', '{"status":401}', '1945bb473e88eff478673c6e2ec5cd1f7193fddb11ce9e0aef4f123f293f9edf');
UPDATE audit_head SET seq = 2, hash = '1945bb473e88eff478673c6e2ec5cd1f7193fddb11ce9e0aef4f123f293f9edf' WHERE id = 1;
