CREATE TABLE record (
	seq       INTEGER PRIMARY KEY,
	id        BLOB NOT NULL UNIQUE,
	hash      BLOB NOT NULL,
	header    BLOB NOT NULL,
	signature BLOB NOT NULL,
	size      INTEGER NOT NULL,
	created   INTEGER NOT NULL, -- Unix seconds, whole minutes
	state     TEXT NOT NULL,
	attempts  INTEGER NOT NULL DEFAULT 0,
	next      INTEGER NOT NULL DEFAULT 0, -- Unix milliseconds
	kind      TEXT NOT NULL DEFAULT '',
	receipt   BLOB, -- JSON
	refusal   BLOB  -- JSON
) STRICT;
CREATE INDEX record_state ON record (state, seq, created);
CREATE TABLE part (
	seq    INTEGER NOT NULL REFERENCES record (seq),
	place  INTEGER NOT NULL,
	name   TEXT NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (seq, place)
) STRICT;
CREATE TABLE gap (
	first INTEGER PRIMARY KEY,
	last  INTEGER NOT NULL,
	hash  BLOB NOT NULL
) STRICT;
CREATE TABLE damage (
	at    INTEGER NOT NULL, -- Unix seconds, whole minutes
	aside TEXT NOT NULL
) STRICT;
