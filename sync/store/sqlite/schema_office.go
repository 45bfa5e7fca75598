package sqlite

// officeSchema is what the office's deeds need. A record's id stands in its
// header behind version, agent and number, each of fixed length but the agent's
// name (wire.Header.Encode), so records that are here already are found too.
const officeSchema = `
	ALTER TABLE agent ADD COLUMN status TEXT NOT NULL DEFAULT '';
	ALTER TABLE agent ADD COLUMN approved TEXT NOT NULL DEFAULT '';
	ALTER TABLE agent ADD COLUMN invited TEXT NOT NULL DEFAULT '';
	ALTER TABLE code ADD COLUMN by TEXT NOT NULL DEFAULT '';
	ALTER TABLE code ADD COLUMN second INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE code ADD COLUMN grades TEXT NOT NULL DEFAULT '';
	ALTER TABLE record ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE record ADD COLUMN record_id BLOB AS (substr(header, 35 + length(agent), 16)) VIRTUAL;
	CREATE INDEX record_by_id ON record(record_id);
	CREATE INDEX part_by_blob ON part(sha256) WHERE sha256 IS NOT NULL;
	CREATE TABLE flag(
		number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, by TEXT NOT NULL,
		flag TEXT NOT NULL, settled TEXT NOT NULL DEFAULT '', closed INTEGER NOT NULL DEFAULT 0
	) STRICT;`
