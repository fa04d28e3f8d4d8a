CREATE TABLE tag (name TEXT PRIMARY KEY, note INTEGER NOT NULL REFERENCES note (id));
CREATE INDEX tag_note ON tag (note);
INSERT INTO note (text, created) VALUES ('migrated', 0);
