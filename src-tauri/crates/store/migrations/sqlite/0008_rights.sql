-- Whose login a person uses. On SQLite it is recorded and nothing more: the file belongs to whoever
-- can write it, and the window says so. PostgreSQL holds people to it.

CREATE TABLE logins (
    login  TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id)
) STRICT, WITHOUT ROWID;
