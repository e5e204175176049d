INSERT INTO kept (name, value) VALUES ('passwords.cost', 'm=65536,t=4');
