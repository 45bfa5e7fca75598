CREATE TABLE notice (
	id      INTEGER PRIMARY KEY,
	name    BLOB NOT NULL UNIQUE, -- SHA-256 of the signed bytes
	agent   TEXT NOT NULL,
	number  INTEGER NOT NULL,
	ref     TEXT NOT NULL,
	kind    TEXT NOT NULL,
	at      INTEGER NOT NULL, -- Unix milliseconds
	key     TEXT NOT NULL,    -- '' where it did not verify
	sig     BLOB NOT NULL,
	kept    INTEGER NOT NULL, -- Unix seconds, whole minutes
	seen    INTEGER NOT NULL DEFAULT 0,
	printed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notice_ref ON notice (ref);
CREATE INDEX notice_unseen ON notice (id) WHERE seen = 0;
CREATE TABLE news (
	agent TEXT PRIMARY KEY,
	place INTEGER NOT NULL
) STRICT;
