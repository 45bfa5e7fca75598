package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/store/column"
)

// rows are what a group of records writes, column by column: each table gets one
// statement, however many records came together. A database spends more on a
// statement than on a row.
type rows struct {
	record   column.Records
	part     column.Parts
	accepted column.Answers
	leaf     column.Leaves
}

// queue notes the statements.
func (r *rows) queue(b *pgx.Batch) {
	if o := &r.record; o.Len() > 0 {
		b.Queue(`INSERT INTO record(month, log_index, agent, seq, record_id, header, signature)
			SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bytea[])`, o.Values()...)
	}
	if o := &r.part; o.Len() > 0 {
		b.Queue(`INSERT INTO part(month, log_index, n, sealed, sha256)
			SELECT * FROM unnest($1::int[], $2::bigint[], $3::int[], $4::bytea[], $5::bytea[])`, o.Values()...)
	}
	if o := &r.accepted; o.Len() > 0 {
		b.Queue(`INSERT INTO accepted(agent, seq, rec_hash, answer, leaf)
			SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::text[], $5::bigint[])`, o.Values()...)
	}
	if o := &r.leaf; o.Len() > 0 {
		b.Queue(`INSERT INTO leaf(number, kind, at, by, subject, log_index, word)
			SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bytea[], $6::bigint[], $7::text[])`, o.Values()...)
	}
}
