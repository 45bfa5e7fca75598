package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// rows are what a group of records writes, column by column: each table gets one
// statement, however many records came together. A database spends more on a
// statement than on a row.
type rows struct {
	record   recordRows
	part     partRows
	accepted acceptedRows
	leaf     leafRows
}

// recordRows are rows of the table record.
type recordRows struct {
	month                 []int32
	index, seq            []int64
	agent                 []string
	id, header, signature [][]byte
}

// add adds a stored record's row.
func (r *recordRows) add(month int32, index int64, sub store.Submission) {
	r.month, r.index, r.seq = append(r.month, month), append(r.index, index), append(r.seq, int64(sub.Header.Seq))
	r.agent, r.id = append(r.agent, string(sub.Agent)), append(r.id, sub.Header.Record[:])
	r.header, r.signature = append(r.header, sub.Envelope.Header), append(r.signature, sub.Envelope.Signature)
}

// partRows are rows of the table part.
type partRows struct {
	month       []int32
	index       []int64
	n           []int32
	sealed, sha [][]byte // nil for what the other one says
}

// add adds the row of a record's part.
func (r *partRows) add(month int32, index int64, n int, sub store.Submission) {
	var name []byte
	if ahead(sub, n) {
		name = sub.Header.Parts[n].SHA256[:]
	}
	r.month, r.index, r.n = append(r.month, month), append(r.index, index), append(r.n, int32(n))
	r.sealed, r.sha = append(r.sealed, sub.Envelope.Parts[n].Sealed), append(r.sha, name)
}

// acceptedRows are rows of the table accepted.
type acceptedRows struct {
	agent, answer []string
	seq           []int64
	hash          [][]byte
	leaf          []*int64 // nil for what has none
}

// add adds the answer that a record gets from now on.
func (r *acceptedRows) add(a *arrival, answer string, leaf *int64) {
	r.agent, r.answer = append(r.agent, string(a.sub.Agent)), append(r.answer, answer)
	r.seq, r.hash, r.leaf = append(r.seq, int64(a.sub.Header.Seq)), append(r.hash, a.hash[:]), append(r.leaf, leaf)
}

// leafRows are rows of the table leaf.
type leafRows struct {
	number, at, index []int64
	kind, by, word    []string
	subject           [][]byte
}

// add adds a leaf's row.
func (r *leafRows) add(number int64, l wire.Leaf) {
	r.number, r.at, r.index = append(r.number, number), append(r.at, l.At.UnixMilli()), append(r.index, int64(l.Index))
	r.kind, r.by, r.word = append(r.kind, string(l.Kind)), append(r.by, l.By), append(r.word, l.Word)
	r.subject = append(r.subject, l.Subject[:])
}

// queue notes the statements.
func (r *rows) queue(b *pgx.Batch) {
	if o := &r.record; len(o.index) > 0 {
		b.Queue(`INSERT INTO record(month, log_index, agent, seq, record_id, header, signature)
			SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bytea[])`,
			o.month, o.index, o.agent, o.seq, o.id, o.header, o.signature)
	}
	if o := &r.part; len(o.index) > 0 {
		b.Queue(`INSERT INTO part(month, log_index, n, sealed, sha256)
			SELECT * FROM unnest($1::int[], $2::bigint[], $3::int[], $4::bytea[], $5::bytea[])`,
			o.month, o.index, o.n, o.sealed, o.sha)
	}
	if o := &r.accepted; len(o.seq) > 0 {
		b.Queue(`INSERT INTO accepted(agent, seq, rec_hash, answer, leaf)
			SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::text[], $5::bigint[])`,
			o.agent, o.seq, o.hash, o.answer, o.leaf)
	}
	if o := &r.leaf; len(o.number) > 0 {
		b.Queue(`INSERT INTO leaf(number, kind, at, by, subject, log_index, word)
			SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bytea[], $6::bigint[], $7::text[])`,
			o.number, o.kind, o.at, o.by, o.subject, o.index, o.word)
	}
}
