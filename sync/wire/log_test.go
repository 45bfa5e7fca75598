package wire

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// logged is a leaf as it should be.
func logged() Leaf {
	return Leaf{Kind: LeafDeed, At: time.UnixMilli(1795343400123).UTC(), By: "jo-marsh", Subject: HashOf([]byte("x")), Index: 7, Word: "moved"}
}

// TestLeafBytes: every field is under the hash, and a changed one is another
// leaf.
func TestLeafBytes(t *testing.T) {
	t.Parallel()
	whole := logged()
	if err := whole.Check(); err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(*Leaf){
		"kind":    func(l *Leaf) { l.Kind = LeafTombstone },
		"at":      func(l *Leaf) { l.At = l.At.Add(time.Millisecond) },
		"by":      func(l *Leaf) { l.By = "jo-march" },
		"subject": func(l *Leaf) { l.Subject[31]++ },
		"index":   func(l *Leaf) { l.Index++ },
		"word":    func(l *Leaf) { l.Word = "revoked" },
	}
	for name, change := range changes {
		other := whole
		change(&other)
		if bytes.Equal(other.Bytes(), whole.Bytes()) {
			t.Errorf("another %s has the same bytes", name)
		}
	}
	if !bytes.HasPrefix(whole.Bytes(), []byte("counterproof leaf v1\n")) {
		t.Errorf("a leaf begins %q", whole.Bytes()[:20])
	}
}

// TestLeafCheck refuses what would let two leaves have the same bytes, or a log
// tell more than it should.
func TestLeafCheck(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Leaf){
		"no kind":          func(l *Leaf) { l.Kind = "" },
		"unknown kind":     func(l *Leaf) { l.Kind = "rumour" },
		"two kinds":        func(l *Leaf) { l.Kind = "record refusal" },
		"before 1970":      func(l *Leaf) { l.At = time.UnixMilli(-1) },
		"microseconds":     func(l *Leaf) { l.At = l.At.Add(time.Microsecond) },
		"nobody":           func(l *Leaf) { l.By = "" },
		"a line in a name": func(l *Leaf) { l.By = "jo\nmarsh" },
		"a sentence":       func(l *Leaf) { l.Word = "Jo said so" },
		"a place too far":  func(l *Leaf) { l.Index = 1<<53 + 1 },
	} {
		leaf := logged()
		spoil(&leaf)
		if leaf.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// TestLeafOfReceipt: the counter and the centre make the same leaf of one
// receipt, whichever key signed it.
func TestLeafOfReceipt(t *testing.T) {
	t.Parallel()
	r := Receipt{Agent: "agent-1", Seq: 4, RecHash: HashOf([]byte("r")), LogIndex: 9, At: time.UnixMilli(1795343400123).UTC(), Key: "k1"}
	leaf := LeafOf(r)
	if err := leaf.Check(); err != nil {
		t.Fatal(err)
	}
	r.Key, r.Sig = "k2", []byte("s")
	if again := LeafOf(r); !bytes.Equal(again.Bytes(), leaf.Bytes()) {
		t.Error("another key makes another leaf")
	}
	r.RecHash[0]++
	if other := LeafOf(r); bytes.Equal(other.Bytes(), leaf.Bytes()) {
		t.Error("another record makes the same leaf")
	}
}

// TestFlag: a flag is named by what it says; the same looked at later is the
// same.
func TestFlag(t *testing.T) {
	t.Parallel()
	f := Flag{Kind: FlagDocument, Records: []Hash{HashOf([]byte("a")), HashOf([]byte("b"))}, At: time.UnixMilli(1795343400123).UTC()}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	later := f
	later.At = later.At.Add(time.Hour)
	if later.Hash() != f.Hash() {
		t.Error("the same flag an hour later is another")
	}
	for name, other := range map[string]Flag{
		"kind":    {Kind: FlagChip, Records: f.Records},
		"records": {Kind: f.Kind, Records: f.Records[:1]},
		"order":   {Kind: f.Kind, Records: []Hash{f.Records[1], f.Records[0]}},
	} {
		if other.Hash() == f.Hash() {
			t.Errorf("another %s gives the same flag", name)
		}
	}
	for name, bad := range map[string]Flag{
		"no kind": {Records: f.Records}, "unknown": {Kind: "tall", Records: f.Records}, "none": {Kind: FlagTwice},
		"two kinds": {Kind: "visit_twice defect", Records: f.Records},
		"too many":  {Kind: FlagTwice, Records: make([]Hash, MaxFlagged+1)},
	} {
		if bad.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
	if strings.Contains(flagKinds, "  ") || strings.Contains(leafKinds, "  ") {
		t.Error("a hole in a closed list")
	}
}
