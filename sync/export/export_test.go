package export_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/export"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// centre is a store with a key and three records of one counter.
type centre struct {
	*sqlite.Store
	key ed25519.PrivateKey
}

// opened makes a centre; the records are what their sealed bytes say.
func opened(t testing.TB, sealed ...string) centre {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "centre.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := centre{s, key}
	code := store.Code{Hash: wire.Hash{1}, Site: "FA123", Role: store.Counter, Expires: now.Add(time.Hour)}
	if err := s.AddCode(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enrol(t.Context(), store.Enrolment{Code: code.Hash, Agent: "agent-1", Public: []byte("key"), Grade: "file", At: now}); err != nil {
		t.Fatal(err)
	}
	var head wire.Hash
	for i, text := range sealed {
		h := wire.Header{Version: 1, Agent: "agent-1", Seq: wire.Seq(i + 1), Prev: head, Wall: now,
			Parts: []wire.PartInfo{{Name: "claims", Recipient: "k", Len: uint64(len(text)), SHA256: wire.HashOf([]byte(text))}}}
		e := wire.Envelope{Header: h.Encode(), Signature: []byte("signature"), Parts: []wire.Part{{Name: "claims", Sealed: []byte(text)}}}
		a, err := s.Accept(t.Context(), store.Submission{Agent: "agent-1", Envelope: e, Header: h, At: now,
			SignReceipt: func(r wire.Receipt) (wire.Receipt, error) { return seal.SignReceipt(r, key) }})
		if err != nil || a.Verdict != wire.Stored {
			t.Fatal(a.Verdict, err)
		}
		head = e.RecHash()
	}
	return c
}

// sequence lets the log commit itself to all that is there.
func (c centre) sequence(t testing.TB) {
	t.Helper()
	_, err := c.Sequence(t.Context(), func(size uint64, root wire.Hash) ([]byte, error) { return tlog.Sign(1, size, root, c.key) })
	if err != nil {
		t.Fatal(err)
	}
}

// public is the key that the centre is known by.
func (c centre) public() ed25519.PublicKey { return c.key.Public().(ed25519.PublicKey) }

// exported is the text of an export.
func (c centre) exported(t testing.TB, places ...uint64) []byte {
	t.Helper()
	f, err := export.Make(t.Context(), c, export.File{Made: now, By: "pat", ReceiptKey: c.public()}, places...)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := f.Write(&text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// TestThereAndBack: what is exported is read as it was stored, with its proof.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	c := opened(t, "one", "two", "three")
	c.sequence(t)
	f, records, unproved, err := export.Read(bytes.NewReader(c.exported(t, 1, 3)), c.public())
	if err != nil || unproved != 0 || len(records) != 2 || len(f.Proofs) != 2 {
		t.Fatalf("got %d records, %d unproved, %v", len(records), unproved, err)
	}
	if f.By != "pat" || !f.Made.Equal(now) || string(records[1].Envelope.Parts[0].Sealed) != "three" || records[1].Origin.Site != "FA123" {
		t.Errorf("got %+v", records[1])
	}
}

// TestNotCommitted: a record that no checkpoint covers is told as unproved, also
// beside one that is.
func TestNotCommitted(t *testing.T) {
	t.Parallel()
	c := opened(t, "one", "two")
	if _, records, unproved, err := export.Read(bytes.NewReader(c.exported(t, 1)), c.public()); err != nil || unproved != 1 || len(records) != 1 {
		t.Errorf("got %d records, %d unproved, %v", len(records), unproved, err)
	}
	if _, err := export.Make(t.Context(), c, export.File{}, 3); !errors.Is(err, store.ErrPlace) {
		t.Errorf("a record that is not there: got %v", err)
	}
	for _, places := range [][]uint64{nil, make([]uint64, export.MaxRecords+1)} {
		if _, err := export.Make(t.Context(), c, export.File{}, places...); err == nil {
			t.Errorf("%d records were exported", len(places))
		}
	}
}

// TestErased: an erased record is exported as one, with its proof.
func TestErased(t *testing.T) {
	t.Parallel()
	c := opened(t, "one")
	leaf := wire.Leaf{Kind: wire.LeafTombstone, At: now, By: "pat", Index: 1, Word: "erase_request"}
	if err := c.Erase(t.Context(), 1, leaf); err != nil {
		t.Fatal(err)
	}
	c.sequence(t)
	_, records, unproved, err := export.Read(bytes.NewReader(c.exported(t, 1)), c.public())
	if err != nil || unproved != 0 || !records[0].Erased || records[0].Envelope.Parts[0].Sealed != nil {
		t.Errorf("got %+v, %d unproved, %v", records, unproved, err)
	}
}

// TestForged: nothing of a file is believed that the centre has not signed.
func TestForged(t *testing.T) {
	t.Parallel()
	c, other := opened(t, "one", "two"), opened(t, "one", "two")
	c.sequence(t)
	other.sequence(t)
	whole := c.exported(t, 1)
	change := func(forge func(f, of map[string]any)) []byte {
		var f, of map[string]any
		if err := errors.Join(json.Unmarshal(whole, &f), json.Unmarshal(other.exported(t, 1, 2), &of)); err != nil {
			t.Fatal(err)
		}
		forge(f, of)
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, b := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)/2], "no-object": []byte("[]"),
		"format":       change(func(f, _ map[string]any) { f["format"] = "counterproof export 2" }),
		"other-key":    change(func(f, of map[string]any) { f["receipt_key"] = of["receipt_key"] }),
		"other-record": change(func(f, of map[string]any) { f["records"] = of["records"] }),
		"no-records":   change(func(f, _ map[string]any) { f["records"] = "" }),
		"other-tree":   change(func(f, of map[string]any) { f["checkpoint"] = of["checkpoint"] }),
		"other-proof":  change(func(f, of map[string]any) { f["proofs"] = of["proofs"] }),
		"other-leaf": change(func(f, _ map[string]any) {
			f["proofs"].([]any)[0].(map[string]any)["leaf"] = 1
		}),
		"another-centre's": other.exported(t, 1),
	} {
		if _, records, _, err := export.Read(bytes.NewReader(b), c.public()); !errors.Is(err, export.ErrFile) || records != nil {
			t.Errorf("%s: got %d records, %v", name, len(records), err)
		}
	}
}

// TestBroken: a reader that breaks off is told.
func TestBroken(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := opened(t, "one")
	if _, err := export.Make(ctx, c, export.File{}, 1); err == nil {
		t.Error("an export was made after its end")
	}
	if _, _, _, err := export.Read(failing{}, c.public()); err == nil {
		t.Error("what could not be read was read")
	}
}

// failing is a reader and a writer that fails.
type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errors.New("the disk fails") }
func (failing) Write([]byte) (int, error) { return 0, errors.New("the disk fails") }

// TestFullDisk: a file that cannot be written is told.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if err := (export.File{}).Write(failing{}); err == nil {
		t.Error("nothing was said")
	}
}

// FuzzRead: no file stops the reader, and what it takes is the centre's.
func FuzzRead(f *testing.F) {
	c := opened(f, "one", "two")
	c.sequence(f)
	f.Add(c.exported(f, 1, 2))
	f.Add([]byte(`{"format":"counterproof export 1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, records, unproved, err := export.Read(bytes.NewReader(b), c.public())
		if err != nil {
			return
		}
		if unproved > len(records) {
			t.Errorf("%d of %d are unproved", unproved, len(records))
		}
		for _, r := range records {
			if !r.Damaged && seal.VerifyReceipt(r.Receipt, c.public()) != nil {
				t.Error("a receipt does not verify")
			}
		}
	})
}
