CREATE TABLE note (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
