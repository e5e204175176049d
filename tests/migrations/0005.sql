INSERT INTO provider_links (issuer, subject, person, made, last_used) VALUES ('https://id.example.org', 'subject', 1, 1764000000000, NULL);
INSERT INTO passkeys (credential, id, person, handle, name, public, made, last_used) VALUES
    ('Y3JlZGVudGlhbA', 'k1', 1, '5d0f3a52-3d2c-4f39-9a43-0d7f3b8f4c11', 'Phone', '{}', 1764000000000, 1764000001000);
