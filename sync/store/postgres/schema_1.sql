CREATE TABLE agent(
	id TEXT COLLATE "C" PRIMARY KEY, site TEXT NOT NULL, role TEXT NOT NULL,
	public BYTEA NOT NULL, grade TEXT NOT NULL, enrolled BIGINT NOT NULL,
	expect BIGINT NOT NULL, head BYTEA NOT NULL, quarantined BOOLEAN NOT NULL,
	status TEXT NOT NULL, approved TEXT NOT NULL, invited TEXT NOT NULL
);
CREATE TABLE code(
	hash BYTEA PRIMARY KEY, site TEXT NOT NULL, role TEXT NOT NULL, expires BIGINT NOT NULL,
	by TEXT NOT NULL, second BOOLEAN NOT NULL, grades TEXT[] NOT NULL, agent TEXT NOT NULL DEFAULT ''
);
CREATE TABLE record(
	month INTEGER NOT NULL, log_index BIGINT NOT NULL, agent TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL,
	record_id BYTEA NOT NULL, header BYTEA NOT NULL, signature BYTEA NOT NULL,
	erased BOOLEAN NOT NULL DEFAULT false, PRIMARY KEY(month, log_index)
) PARTITION BY RANGE(month);
CREATE INDEX record_by_index ON record(log_index);
CREATE INDEX record_by_id ON record(record_id);
-- A part is either inside (sealed) or names its blob.
CREATE TABLE part(
	month INTEGER NOT NULL, log_index BIGINT NOT NULL, n INTEGER NOT NULL,
	sealed BYTEA, sha256 BYTEA, PRIMARY KEY(month, log_index, n)
) PARTITION BY RANGE(month);
CREATE INDEX part_by_index ON part(log_index);
CREATE INDEX part_by_blob ON part(sha256) WHERE sha256 IS NOT NULL;
-- Small, never partitioned and never pruned: that a record is held exactly
-- once lives here.
CREATE TABLE accepted(
	agent TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL, rec_hash BYTEA NOT NULL, answer TEXT NOT NULL,
	leaf BIGINT, PRIMARY KEY(agent, seq)
);
CREATE TABLE blob(
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sha256 BYTEA NOT NULL, agent TEXT NOT NULL,
	size BIGINT NOT NULL, complete BOOLEAN NOT NULL, UNIQUE(sha256, agent)
);
CREATE TABLE chunk(
	blob BIGINT NOT NULL REFERENCES blob(id) ON DELETE CASCADE, start BIGINT NOT NULL,
	data BYTEA NOT NULL, PRIMARY KEY(blob, start)
);
ALTER TABLE chunk ALTER COLUMN data SET STORAGE EXTERNAL; -- sealed bytes do not shrink
-- Refused records (without parts) and the second versions of forks.
CREATE TABLE aside(
	agent TEXT NOT NULL, seq BIGINT NOT NULL, rec_hash BYTEA NOT NULL,
	reason TEXT NOT NULL, at BIGINT NOT NULL, envelope BYTEA NOT NULL
);
CREATE TABLE bundle(id INTEGER PRIMARY KEY CHECK(id = 1), signed TEXT NOT NULL);
CREATE TABLE notice(
	opener TEXT NOT NULL, seq BIGINT NOT NULL, agent TEXT NOT NULL, n BIGINT NOT NULL,
	number BIGINT NOT NULL, ref TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL,
	key TEXT NOT NULL, sig BYTEA NOT NULL,
	PRIMARY KEY(opener, seq), UNIQUE(agent, n), UNIQUE(opener, agent, number)
);
CREATE TABLE notice_ack(agent TEXT PRIMARY KEY, n BIGINT NOT NULL);
-- How many records and leaves there are; locked last, until the commit.
CREATE TABLE counter(id INTEGER PRIMARY KEY CHECK(id = 1), records BIGINT NOT NULL, leaves BIGINT NOT NULL);
INSERT INTO counter VALUES(1, 0, 0);
CREATE TABLE leaf(
	number BIGINT PRIMARY KEY, kind TEXT NOT NULL, at BIGINT NOT NULL, by TEXT NOT NULL,
	subject BYTEA NOT NULL, log_index BIGINT NOT NULL, word TEXT NOT NULL
);
CREATE TABLE tree(idx BIGINT PRIMARY KEY, hash BYTEA NOT NULL);
CREATE TABLE checkpoint(size BIGINT PRIMARY KEY, root BYTEA NOT NULL, note BYTEA NOT NULL);
CREATE TABLE flag(
	number BIGINT PRIMARY KEY, hash BYTEA NOT NULL UNIQUE, by TEXT NOT NULL,
	flag TEXT NOT NULL, settled TEXT NOT NULL DEFAULT '', closed BIGINT NOT NULL DEFAULT 0
);
