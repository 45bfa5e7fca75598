package sqlite

// logSchema is the log's tables, with a leaf for every record that is here
// already. Refusals and bundles of before stand nowhere, as when they were made.
const logSchema = `
	CREATE TABLE leaf(
		number INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL,
		subject BLOB NOT NULL, log_index INTEGER NOT NULL, word TEXT NOT NULL
	) STRICT;
	CREATE UNIQUE INDEX leaf_of_record ON leaf(log_index) WHERE kind='record';
	-- The tree's hashes in storage order; see package tlog.
	CREATE TABLE tree(
		idx INTEGER PRIMARY KEY, hash BLOB NOT NULL
	) STRICT;
	CREATE TABLE checkpoint(
		size INTEGER PRIMARY KEY, root BLOB NOT NULL, note BLOB NOT NULL
	) STRICT;
	INSERT INTO leaf SELECT row_number() OVER (ORDER BY r.log_index) - 1, 'record',
		CAST(round(1000 * unixepoch(json_extract(a.answer, '$.receipt.at'), 'subsec')) AS INTEGER),
		r.agent, a.rec_hash, r.log_index, ''
		FROM record r JOIN accepted a ON a.agent=r.agent AND a.seq=r.seq;`
