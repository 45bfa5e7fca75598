package uplink

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink/witness"
	"github.com/counterproof/counterproof/sync/wire"
)

// flags makes that many, all different.
func flags(n int) []wire.Flag {
	var out []wire.Flag
	for i := range n {
		out = append(out, wire.Flag{Kind: wire.FlagDocument, Records: []wire.Hash{{byte(i)}, {byte(i >> 8), 1}}, At: time.UnixMilli(1000).UTC()})
	}
	return out
}

// taking answers what is posted to a path with a status and keeps how many there
// were each time.
func taking(c *centre, path, key string, status func(run int) int) *[]int {
	var runs []int
	c.before = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if r.URL.Path != path {
			return false
		}
		var all map[string][]json.RawMessage
		if r.Method != http.MethodPost || json.Unmarshal(body, &all) != nil || len(all) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		runs = append(runs, len(all[key]))
		w.WriteHeader(status(len(runs)))
		return true
	}
	return &runs
}

func always(status int) func(int) int { return func(int) int { return status } }

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		name   string
		flags  []wire.Flag
		status func(int) int
		runs   []int
		kind   wire.Kind
	}{
		{"none", nil, always(204), nil, ""},
		{"one", flags(1), always(204), []int{1}, ""},
		{"runs-of-100", flags(201), always(204), []int{100, 100, 1}, ""},
		{"broken-off", flags(201), func(n int) int { return map[bool]int{true: 204, false: 403}[n == 1] }, []int{100, 100}, wire.KindUnauthorised},
		{"no-opener", flags(1), always(403), []int{1}, wire.KindUnauthorised},
		{"without-a-record", []wire.Flag{{Kind: wire.FlagChip}}, always(204), nil, wire.KindProtocol},
		{"of-no-kind", []wire.Flag{{Kind: "rude", Records: []wire.Hash{{1}}}}, always(204), nil, wire.KindProtocol},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			n := newEnrolled(t, c)
			runs := taking(c, "/v1/opener/flags", "flags", s.status)
			err := n.Flags(t.Context(), s.flags)
			if wire.KindOf(err) != s.kind || (err == nil) != (s.kind == "") {
				t.Errorf("got %v, want kind %q", err, s.kind)
			}
			if !slices.Equal(*runs, s.runs) {
				t.Errorf("posted in runs of %v, want %v", *runs, s.runs)
			}
		})
	}
	if err := newCounter(t, newCentre(t)).Flags(t.Context(), flags(1)); wire.KindOf(err) != wire.KindNotEnrolled {
		t.Errorf("not enrolled: got %v", err)
	}
}

func TestPostLeaves(t *testing.T) {
	t.Parallel()
	leaf := wire.Leaf{Kind: wire.LeafTombstone, At: time.UnixMilli(1000).UTC(), By: "agent-1", Subject: wire.HashOf([]byte("key")), Word: "evidence"}
	c := newCentre(t)
	n := newEnrolled(t, c)
	runs := taking(c, "/v1/opener/leaves", "leaves", func(run int) int { return map[bool]int{true: 204, false: 403}[run == 1] })
	posted, err := n.PostLeaves(t.Context(), slices.Repeat([]wire.Leaf{leaf}, 150))
	if posted != 100 || wire.KindOf(err) != wire.KindUnauthorised || !slices.Equal(*runs, []int{100, 50}) {
		t.Errorf("posted %d in runs of %v, %v; want 100 before the refusal", posted, *runs, err)
	}
	if posted, err := newCounter(t, newCentre(t)).PostLeaves(t.Context(), []wire.Leaf{leaf}); posted != 0 || wire.KindOf(err) != wire.KindNotEnrolled {
		t.Errorf("not enrolled: %d, %v", posted, err)
	}
}

// TestFetchErased: a record that was erased is no damage, and only if what is left
// of it is signed.
func TestFetchErased(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	it := n.enqueue(10)
	e, err := n.queue.Envelope(t.Context(), it.Seq)
	if err != nil {
		t.Fatal(err)
	}
	l, err := n.open()
	if err != nil {
		t.Fatal(err)
	}
	good := c.delivered(t, e, it.Seq, l.leaf.RawSubjectPublicKeyInfo)
	bare := good
	bare.Erased, bare.Envelope.Parts = true, []wire.Part{{Name: e.Parts[0].Name}}
	unsigned := bare
	unsigned.Envelope.Signature = slices.Concat(e.Signature[:len(e.Signature)-1], []byte{e.Signature[len(e.Signature)-1] ^ 1})
	other := bare
	other.Receipt.RecHash[0] ^= 1
	for name, s := range map[string]struct {
		r    store.Record
		kind wire.Kind
	}{
		"whole": {good, ""}, "erased": {bare, ""}, "erased/not-signed": {unsigned, wire.KindDamaged},
		"erased/receipt-of-another": {other, wire.KindDamaged},
	} {
		if err := witness.Record(s.r, l.receiptKey()); wire.KindOf(err) != s.kind {
			t.Errorf("%s: got %v, want kind %q", name, err, s.kind)
		}
	}
	c.before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if !strings.HasPrefix(r.URL.Path, "/v1/opener/records") {
			return false
		}
		d := store.NewDelivery(w)
		_ = d.Write(bare)
		_ = d.Close()
		return true
	}
	count := 0
	for r, err := range n.Fetch(t.Context(), 0) {
		count++
		if err != nil || !r.Erased || r.Receipt.RecHash != it.Hash {
			t.Errorf("got %v, erased %t", err, r.Erased)
		}
	}
	if count != 1 {
		t.Errorf("%d records came, want 1", count)
	}
}
