// Package column holds rows column by column, as one statement writes them all.
//
// It never speaks to a database. Its law: the columns of a table are equally long,
// and come out in the order that Values names.
package column

import (
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Records are rows of the table record.
type Records struct {
	month                 []int32
	index, seq            []int64
	agent                 []string
	id, header, signature [][]byte
}

// Add adds a stored record's row.
func (r *Records) Add(month int32, index int64, sub store.Submission) {
	r.month, r.index, r.seq = append(r.month, month), append(r.index, index), append(r.seq, int64(sub.Header.Seq))
	r.agent, r.id = append(r.agent, string(sub.Agent)), append(r.id, sub.Header.Record[:])
	r.header, r.signature = append(r.header, sub.Envelope.Header), append(r.signature, sub.Envelope.Signature)
}

// Parts are rows of the table part.
type Parts struct {
	month       []int32
	index       []int64
	n           []int32
	sealed, sha [][]byte // nil for what the other one says
}

// Add adds the row of a record's part.
func (r *Parts) Add(month int32, index int64, n int, sub store.Submission) {
	var name []byte
	if sub.Ahead(n) {
		name = sub.Header.Parts[n].SHA256[:]
	}
	r.month, r.index, r.n = append(r.month, month), append(r.index, index), append(r.n, int32(n))
	r.sealed, r.sha = append(r.sealed, sub.Envelope.Parts[n].Sealed), append(r.sha, name)
}

// Answers are rows of the table accepted.
type Answers struct {
	agent, answer []string
	seq           []int64
	hash          [][]byte
	leaf          []*int64 // nil for what has none
}

// Add adds the answer that a record gets from now on.
func (r *Answers) Add(sub store.Submission, hash wire.Hash, answer string, leaf *int64) {
	r.agent, r.answer = append(r.agent, string(sub.Agent)), append(r.answer, answer)
	r.seq, r.hash, r.leaf = append(r.seq, int64(sub.Header.Seq)), append(r.hash, hash[:]), append(r.leaf, leaf)
}

// Leaves are rows of the table leaf.
type Leaves struct {
	number, at, index []int64
	kind, by, word    []string
	subject           [][]byte
}

// Add adds a leaf's row.
func (r *Leaves) Add(number int64, l wire.Leaf) {
	r.number, r.at, r.index = append(r.number, number), append(r.at, l.At.UnixMilli()), append(r.index, int64(l.Index))
	r.kind, r.by, r.word = append(r.kind, string(l.Kind)), append(r.by, l.By), append(r.word, l.Word)
	r.subject = append(r.subject, l.Subject[:])
}

// Len is how many rows there are.
func (r *Records) Len() int { return len(r.index) }

// Values are the columns month, log_index, agent, seq, record_id, header, signature.
func (r *Records) Values() []any {
	return []any{r.month, r.index, r.agent, r.seq, r.id, r.header, r.signature}
}

// Len is how many rows there are.
func (r *Parts) Len() int { return len(r.index) }

// Values are the columns month, log_index, n, sealed, sha256.
func (r *Parts) Values() []any {
	return []any{r.month, r.index, r.n, r.sealed, r.sha}
}

// Len is how many rows there are.
func (r *Answers) Len() int { return len(r.seq) }

// Values are the columns agent, seq, rec_hash, answer, leaf.
func (r *Answers) Values() []any {
	return []any{r.agent, r.seq, r.hash, r.answer, r.leaf}
}

// Len is how many rows there are.
func (r *Leaves) Len() int { return len(r.number) }

// Values are the columns number, kind, at, by, subject, log_index, word.
func (r *Leaves) Values() []any {
	return []any{r.number, r.kind, r.at, r.by, r.subject, r.index, r.word}
}
