package column

import (
	"reflect"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// submission is a record with one part inside and one that went ahead.
func submission() store.Submission {
	sealed := []byte("sealed")
	return store.Submission{
		Agent:  "a",
		Header: wire.Header{Seq: 4, Parts: []wire.PartInfo{{Len: 6, SHA256: wire.HashOf(sealed)}, {Len: 9, SHA256: wire.HashOf(nil)}}},
		Envelope: wire.Envelope{
			Header: []byte("header"), Signature: []byte("signature"), Parts: []wire.Part{{Sealed: sealed}, {}},
		},
	}
}

// TestColumns: what is added as rows comes out as columns, each as long as there
// are rows, in the order of the statement.
func TestColumns(t *testing.T) {
	t.Parallel()
	sub, hash, leaf := submission(), wire.HashOf([]byte("record")), int64(9)
	var records Records
	var parts Parts
	var answers Answers
	var leaves Leaves
	for name, c := range map[string]struct {
		table interface {
			Len() int
			Values() []any
		}
		add  func()
		want []any
	}{
		"record": {&records, func() { records.Add(202611, 7, sub) }, []any{
			[]int32{202611}, []int64{7}, []string{"a"}, []int64{4}, [][]byte{make([]byte, 16)}, [][]byte{[]byte("header")}, [][]byte{[]byte("signature")},
		}},
		"part": {&parts, func() { parts.Add(202611, 7, 0, sub); parts.Add(202611, 7, 1, sub) }, []any{
			[]int32{202611, 202611}, []int64{7, 7}, []int32{0, 1}, [][]byte{[]byte("sealed"), nil}, [][]byte{nil, sub.Header.Parts[1].SHA256[:]},
		}},
		"accepted": {&answers, func() { answers.Add(sub, hash, "answer", &leaf) }, []any{
			[]string{"a"}, []int64{4}, [][]byte{hash[:]}, []string{"answer"}, []*int64{&leaf},
		}},
		"leaf": {&leaves, func() {
			leaves.Add(9, wire.Leaf{Kind: wire.LeafRecord, At: time.UnixMilli(5), By: "a", Subject: hash, Index: 7, Word: "w"})
		}, []any{
			[]int64{9}, []string{string(wire.LeafRecord)}, []int64{5}, []string{"a"}, [][]byte{hash[:]}, []int64{7}, []string{"w"},
		}},
	} {
		if c.table.Len() != 0 {
			t.Errorf("%s: got %d rows before any", name, c.table.Len())
		}
		c.add()
		if got := c.table.Values(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if want := reflect.ValueOf(c.want[0]).Len(); c.table.Len() != want {
			t.Errorf("%s: got %d rows, want %d", name, c.table.Len(), want)
		}
	}
}
