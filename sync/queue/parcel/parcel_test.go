package parcel

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// counter makes records under a key of its own.
type counter struct {
	name wire.AgentID
	key  *ecdsa.PrivateKey
}

func newCounter(t testing.TB, name wire.AgentID) counter {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return counter{name, key}
}

// record makes a record with parts of the given sizes.
func (c counter) record(t testing.TB, seq wire.Seq, sizes ...int) wire.Envelope {
	t.Helper()
	h := wire.Header{Version: 1, Agent: c.name, Seq: seq, App: "1.0", Counter: 7, Unknown: []wire.Field{{Tag: 99, Value: []byte("later")}}}
	rand.Read(h.Record[:])
	var parts []wire.Part
	for i, size := range sizes {
		p := wire.Part{Name: wire.PartName([]string{"claims", "evidence", "audit"}[i]), Sealed: make([]byte, size)}
		rand.Read(p.Sealed)
		parts = append(parts, p)
		h.Parts = append(h.Parts, wire.PartInfo{Name: p.Name, Recipient: "k", Len: uint64(size), SHA256: wire.HashOf(p.Sealed)})
	}
	return c.sign(t, h, parts)
}

func (c counter) sign(t testing.TB, h wire.Header, parts []wire.Part) wire.Envelope {
	t.Helper()
	e, err := seal.Envelope(h, parts, c.key)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// each yields records.
func each(all ...wire.Envelope) iter.Seq2[wire.Envelope, error] {
	return func(yield func(wire.Envelope, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// pack is a parcel of records.
func pack(t testing.TB, all ...wire.Envelope) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := Write(&b, each(all...)); err != nil || n != len(all) {
		t.Fatalf("packed %d: %v", n, err)
	}
	return b.Bytes()
}

// unpack reads a parcel to its end or its error.
func unpack(b []byte) (all []wire.Envelope, err error) {
	for e, err := range Read(bytes.NewReader(b)) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	c := newCounter(t, "agent-1")
	for name, records := range map[string][]wire.Envelope{
		"none": nil, "one": {c.record(t, 1, 100)},
		"many": {c.record(t, 1, 100, 70_000), c.record(t, 2), c.record(t, 3, 5, 6, 7)},
	} {
		got, err := unpack(pack(t, records...))
		if err != nil || len(got) != len(records) {
			t.Fatalf("%s: got %d of %d: %v", name, len(got), len(records), err)
		}
		for i := range got {
			if got[i].RecHash() != records[i].RecHash() || !bytes.Equal(got[i].Marshal(nil), records[i].Marshal(nil)) {
				t.Errorf("%s: record %d is another one", name, i)
			}
		}
	}
}

// A parcel that somebody cut or altered gives what is before that place, and
// never ends as if it were whole.
func TestCutOrAltered(t *testing.T) {
	t.Parallel()
	c := newCounter(t, "agent-1")
	records := []wire.Envelope{c.record(t, 1, 40), c.record(t, 2, 40)}
	whole := pack(t, records...)
	for i := range whole {
		altered := bytes.Clone(whole)
		altered[i] ^= 0x10
		for name, b := range map[string][]byte{"cut": whole[:i], "altered": altered} {
			got, err := unpack(b)
			if !errors.Is(err, ErrCut) {
				t.Fatalf("%s at %d: got %d records and %v", name, i, len(got), err)
			}
			for n, e := range got {
				if e.RecHash() != records[n].RecHash() {
					t.Fatalf("%s at %d: record %d is another one", name, i, n)
				}
			}
		}
	}
	if got, err := unpack(pack(t, records[1], records[0])); err != nil || len(got) != 2 {
		t.Errorf("whole: %d, %v", len(got), err)
	}
}

// What cannot be read is not packed as if it were nothing.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	_, err := Write(new(bytes.Buffer), func(yield func(wire.Envelope, error) bool) { yield(wire.Envelope{}, own) })
	if !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
	if _, err := Write(full{}, each(newCounter(t, "a").record(t, 1, 10))); !errors.Is(err, own) && err == nil {
		t.Error("a full disk was not told")
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

// A record that another counter sends keeps its parts and what is said of the
// visit, and proves who made it.
func TestCarry(t *testing.T) {
	t.Parallel()
	first, second, third := newCounter(t, "agent-1"), newCounter(t, "agent-2"), newCounter(t, "agent-3")
	made := first.record(t, 4, 100, 2000)
	original, err := made.Check()
	if err != nil {
		t.Fatal(err)
	}
	e := made
	for i, c := range []counter{second, third} {
		h, err := Carry(e)
		if err != nil {
			t.Fatal(err)
		}
		h.Agent, h.Seq, h.Prev = c.name, wire.Seq(i+9), wire.HashOf([]byte{byte(i)})
		e = c.sign(t, h, e.Parts)
		got, err := seal.Verify(e, &c.key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if got.Record != original.Record || got.App != original.App || !got.Wall.Equal(original.Wall) || got.Agent != c.name || got.Counter != 0 {
			t.Errorf("carried by %s it says %+v", c.name, got)
		}
		origin, ok := Origin(got)
		if !ok {
			t.Fatalf("carried by %s it does not say who made it", c.name)
		}
		origin.Parts = e.Parts
		if _, err := seal.Verify(origin, &first.key.PublicKey); err != nil {
			t.Errorf("carried by %s: %v", c.name, err)
		}
		if _, err := seal.Verify(origin, &second.key.PublicKey); err == nil {
			t.Error("somebody else is believed to have made it")
		}
	}
	if _, ok := Origin(original); ok {
		t.Error("a record of its own counter names another")
	}
	made.Parts[0].Sealed[0] ^= 1
	if _, err := Carry(made); err == nil {
		t.Error("an altered record was carried")
	}
	for name, value := range map[string][]byte{"empty": nil, "short": {0, 0, 0, 9, 1}, "huge": {255, 255, 255, 255}} {
		if _, ok := Origin(wire.Header{Unknown: []wire.Field{{Tag: originTag, Value: value}}}); ok {
			t.Errorf("%s: taken for an origin", name)
		}
	}
}

// A box gives a whole parcel to whoever takes it, until that went well, and never
// a part of one.
func TestBox(t *testing.T) {
	t.Parallel()
	box := filepath.Join(t.TempDir(), "deep", "box")
	if err := Take(box, func(io.Reader) error { return errors.New("called") }); err != nil {
		t.Errorf("no box: %v", err)
	}
	c := newCounter(t, "agent-1")
	whole := pack(t, c.record(t, 1, 40), c.record(t, 2, 40))
	if _, err := Put(box, bytes.NewReader(whole[:len(whole)-1])); !errors.Is(err, ErrCut) {
		t.Errorf("a part of one: %v", err)
	}
	if n, err := Put(box, bytes.NewReader(whole)); n != 2 || err != nil {
		t.Fatalf("left %d: %v", n, err)
	}
	own := errors.New("own")
	if err := Take(box, func(io.Reader) error { return own }); !errors.Is(err, own) {
		t.Errorf("one that failed: %v", err)
	}
	times := 0
	for range 2 {
		err := Take(box, func(r io.Reader) error {
			times++
			b, err := io.ReadAll(r)
			if !bytes.Equal(b, whole) {
				t.Error("another one came")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if times != 1 {
		t.Errorf("taken %d times", times)
	}
	if files, err := os.ReadDir(box); err != nil || len(files) != 1 {
		t.Errorf("%d files are left: %v", len(files), err)
	}
}

func FuzzRead(f *testing.F) {
	c := newCounter(f, "agent-1")
	f.Add(pack(f, c.record(f, 1, 40)))
	f.Add(pack(f))
	f.Add([]byte(magic + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := unpack(b)
		if err == nil && !bytes.HasPrefix(b, pack(t, got...)) {
			t.Error("read as whole what was never written so")
		}
		for _, e := range got {
			if h, err := e.Check(); err != nil {
				t.Error(err)
			} else {
				_, _ = Origin(h)
			}
		}
	})
}
