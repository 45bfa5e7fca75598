package central_test

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/wire"
)

// opener enrols an opener over an inside line, with faults on it if any are
// given.
func (c *centre) opener(faults ...func(http.RoundTripper) http.RoundTripper) *counter {
	c.t.Helper()
	return c.invited(central.Invitation{Opener: true}, faults)
}

// openStore opens a centre's store beside it.
func openStore(t *testing.T, c *centre) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(c.cfg.Dir, "centre.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// recipients makes keys for the parts of a record.
func recipients(t *testing.T) []wire.Recipient {
	t.Helper()
	var all []wire.Recipient
	for _, part := range []wire.PartName{wire.PartClaims, wire.PartEvidence} {
		_, r, err := seal.GenerateKey(seal.Hybrid)
		if err != nil {
			t.Fatal(err)
		}
		r.Part = part
		all = append(all, r)
	}
	return all
}

// TestRecipients: the opener's keys reach the counters in the next bundle.
func TestRecipients(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.opener()
	keys := recipients(t)
	for range 2 { // the same keys again change nothing
		if err := opener.client.PutRecipients(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.client.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string]*counter{"counter": n, "opener": opener} {
		id := who.identity()
		b, err := seal.VerifyBundle(id.Bundle, id.BundleKey)
		if err != nil {
			t.Fatal(err)
		}
		if b.Version != 2 || len(b.Recipients) != 2 || b.Recipients[0].Key != keys[0].Key {
			t.Errorf("%s: got version %d with %d keys", name, b.Version, len(b.Recipients))
		}
		if who.client.Status().Bundle != 2 {
			t.Errorf("%s: the status says version %d", name, who.client.Status().Bundle)
		}
	}
}

// TestRecipientsRefused: keys that nothing can be sealed to never reach a
// counter.
func TestRecipientsRefused(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	opener := c.opener()
	good := recipients(t)[0]
	misnamed, short, partless := good, good, good
	misnamed.Key = "0000000000000000"
	short.Public = short.Public[:20]
	partless.Part = ""
	many := make([]wire.Recipient, 65)
	for i := range many {
		many[i] = good
	}
	for name, keys := range map[string]any{
		"none": []wire.Recipient{}, "misnamed": []wire.Recipient{good, misnamed}, "short": []wire.Recipient{short},
		"no-part": []wire.Recipient{partless}, "many": many, "no-list": "words",
	} {
		body, err := json.Marshal(keys)
		if err != nil {
			t.Fatal(err)
		}
		if rec := c.call(opener.identity().Chain[0], "PUT", "/v1/opener/recipients", nil, body); rec.Code != 400 {
			t.Errorf("%s: got %d, want 400", name, rec.Code)
		}
	}
	if b, err := opener.identity().Bundle.Bundle(); err != nil || b.Version != 1 {
		t.Errorf("the bundle is %d (%v), want 1", b.Version, err)
	}
}

// TestFetch: the opener gets every record whole and verified, page after page.
func TestFetch(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.opener()
	prev := wire.Hash{}
	for seq := range wire.Seq(105) {
		e := n.sealed(wire.Header{Seq: seq + 1, Prev: prev}, []byte("claims"))
		if status, a := c.post(n, e, seq+1, e.Marshal(nil)); status != 200 {
			t.Fatal(status, a.Verdict)
		}
		prev = e.RecHash()
	}
	after, pages := uint64(0), 0
	for {
		count := 0
		for r, err := range opener.client.Fetch(t.Context(), after) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Receipt.LogIndex != after+1 || r.Origin.Site != "FA123" || r.Origin.Grade != "file" || string(r.Envelope.Parts[0].Sealed) != "claims" {
				t.Fatalf("after %d: got %+v, %+v", after, r.Receipt, r.Origin)
			}
			after, count = r.Receipt.LogIndex, count+1
		}
		if count == 0 {
			break
		}
		pages++
	}
	if after != 105 || pages != 2 {
		t.Errorf("got %d records in %d pages, want 105 in 2", after, pages)
	}
}

// TestFetchParameters: a cursor that is none is refused.
func TestFetchParameters(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	cert := c.opener().identity().Chain[0]
	for query, want := range map[string]int{
		"": 200, "?after=7&limit=3": 200, "?limit=1000000": 200,
		"?after=-1": 400, "?after=x": 400, "?limit=0": 400, "?limit=x": 400,
	} {
		if rec := c.call(cert, "GET", "/v1/opener/records"+query, nil, nil); rec.Code != want {
			t.Errorf("%q: got %d, want %d", query, rec.Code, want)
		}
	}
}

// TestFetchTampered: a record that was changed in the store is told with its
// place, and the next one still comes.
func TestFetchTampered(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener, other := c.enrolled(), c.opener(), c.enrolled()
	prev := wire.Hash{}
	for seq := range wire.Seq(2) {
		e := n.sealed(wire.Header{Seq: seq + 1, Prev: prev}, []byte("claims"))
		if status, a := c.post(n, e, seq+1, e.Marshal(nil)); status != 200 {
			t.Fatal(status, a.Verdict)
		}
		prev = e.RecHash()
	}
	s := swapped{openStore(t, c), other.identity().Agent}
	bad := newCentre(t, func(cfg *central.Config) { cfg.Dir, cfg.Store = c.cfg.Dir, s })
	c.inner = bad.handler()
	var got []string
	for r, err := range opener.client.Fetch(t.Context(), 0) {
		got = append(got, string(wire.KindOf(err)))
		if r.Receipt.LogIndex != uint64(len(got)) {
			t.Errorf("place %d has index %d", len(got), r.Receipt.LogIndex)
		}
	}
	if len(got) != 2 || got[0] != string(wire.KindDamaged) || got[1] != "" {
		t.Errorf("got %q, want the first damaged and the second whole", got)
	}
}

// swapped is a store that says that another counter made the first record.
type swapped struct {
	store.Store
	other wire.AgentID
}

func (s swapped) Records(ctx context.Context, after uint64, limit int) ([]store.Record, error) {
	page, err := s.Store.Records(ctx, after, limit)
	if err != nil || len(page) == 0 || page[0].Receipt.LogIndex != 1 {
		return page, err
	}
	a, err := s.Store.Agent(ctx, s.other)
	page[0].Origin.Public = a.Public
	return page, err
}
