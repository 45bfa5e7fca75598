package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// invitation is one that a test can look at.
func invitation(t *testing.T) store.Invite {
	t.Helper()
	code, err := store.NewCode(bytes.NewReader([]byte("0123456789abcdef")))
	if err != nil {
		t.Fatal(err)
	}
	return store.Invite{Address: "centre.example:8443", Code: code, CA: wire.HashOf([]byte("authority"))}
}

func TestInviteRoundTrip(t *testing.T) {
	t.Parallel()
	want := invitation(t)
	for name, text := range map[string]string{
		"as-written":  want.String(),
		"with-spaces": "  " + want.String() + "\r\n",
	} {
		if got, err := store.ParseInvite(text); err != nil || got != want {
			t.Errorf("%s: got %+v (%v), want %+v", name, got, err, want)
		}
	}
	want.Address = "[::1]:8443"
	if got, err := store.ParseInvite(want.String()); err != nil || got != want {
		t.Errorf("IPv6: got %+v (%v), want %+v", got, err, want)
	}
}

// TestInviteCopiedWrongly: no slip of the hand is taken for another centre.
func TestInviteCopiedWrongly(t *testing.T) {
	t.Parallel()
	text := invitation(t).String()
	for i := range text {
		b := []byte(text)
		b[i] ^= 1
		if got, err := store.ParseInvite(string(b)); err == nil {
			t.Fatalf("a wrong letter at %d gives %+v", i, got)
		}
		if got, err := store.ParseInvite(text[:i]); err == nil {
			t.Fatalf("cut at %d it gives %+v", i, got)
		}
	}
}

// TestInviteChecked: a text with the right check is still looked at.
func TestInviteChecked(t *testing.T) {
	t.Parallel()
	good := invitation(t)
	for name, i := range map[string]store.Invite{
		"no-port":     {Address: "centre.example", Code: good.Code, CA: good.CA},
		"no-host":     {Address: ":8443", Code: good.Code, CA: good.CA},
		"short-code":  {Address: good.Address, Code: good.Code[:10], CA: good.CA},
		"wrong-code":  {Address: good.Address, Code: strings.Repeat("u", 26), CA: good.CA},
		"two-many":    {Address: good.Address + "/x", Code: good.Code, CA: good.CA},
		"no-code":     {Address: good.Address, CA: good.CA},
		"nothing":     {},
		"path-inside": {Address: "centre.example:8443/x", Code: good.Code, CA: good.CA},
	} {
		if got, err := store.ParseInvite(i.String()); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func TestNewCode(t *testing.T) {
	t.Parallel()
	a, err := store.NewCode(bytes.NewReader(bytes.Repeat([]byte{0xff}, 16)))
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != 26 || strings.ContainsAny(a, "ilou") {
		t.Errorf("got the code %q, want 26 letters without i, l, o, u", a)
	}
	if _, err := store.NewCode(iotest.ErrReader(io.ErrUnexpectedEOF)); err == nil {
		t.Error("a code was made without randomness")
	}
	if store.HashCode(a) == store.HashCode(a[:25]) {
		t.Error("two codes have one hash")
	}
}

// record makes a whole record with its receipt.
func record(index uint64, parts ...string) store.Record {
	h := wire.Header{Version: 1, Agent: "fa123-1", Seq: wire.Seq(index), Wall: time.UnixMilli(1_790_000_000_000).UTC()}
	e := wire.Envelope{Signature: []byte("signature")}
	for _, p := range parts {
		h.Parts = append(h.Parts, wire.PartInfo{Name: wire.PartClaims, Recipient: "k", Len: uint64(len(p)), SHA256: wire.HashOf([]byte(p))})
		e.Parts = append(e.Parts, wire.Part{Name: wire.PartClaims, Sealed: []byte(p)})
	}
	e.Header = h.Encode()
	return store.Record{
		Receipt:  wire.Receipt{Agent: h.Agent, Seq: h.Seq, RecHash: e.RecHash(), LogIndex: index, At: h.Wall, Key: "k", Sig: []byte("s")},
		Origin:   store.Origin{Site: "fa123", Public: []byte("public key"), Grade: "file"},
		Envelope: e,
	}
}

// deliver writes a delivery.
func deliver(t testing.TB, records ...store.Record) []byte {
	t.Helper()
	var b bytes.Buffer
	d := store.NewDelivery(&b)
	for _, r := range records {
		if err := d.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads a delivery to its end or its first error.
func read(r io.Reader) (records []store.Record, err error) {
	for record, err := range store.ReadDelivery(r) {
		if err != nil {
			return records, err
		}
		records = append(records, record)
	}
	return records, nil
}

func TestDeliveryRoundTrip(t *testing.T) {
	t.Parallel()
	for _, want := range [][]store.Record{
		nil,
		{record(1, "claims")},
		{record(1, "claims", strings.Repeat("evidence", 40_000)), record(2), record(3, "x")},
	} {
		got, err := read(iotest.OneByteReader(bytes.NewReader(deliver(t, want...))))
		if err != nil || len(got) != len(want) {
			t.Fatalf("got %d records (%v), want %d", len(got), err, len(want))
		}
		for i := range want {
			if got[i].Envelope.RecHash() != want[i].Envelope.RecHash() || got[i].Receipt.LogIndex != want[i].Receipt.LogIndex || !reflect.DeepEqual(got[i].Origin, want[i].Origin) {
				t.Errorf("record %d is another one: %+v", i, got[i].Receipt)
			}
		}
	}
}

// TestDeliveryCut: a delivery cut anywhere is an error, never a short list
// that looks whole.
func TestDeliveryCut(t *testing.T) {
	t.Parallel()
	whole := deliver(t, record(1, "claims"), record(2, "more"))
	for i := range whole {
		if got, err := read(bytes.NewReader(whole[:i])); !errors.Is(err, store.ErrDelivery) {
			t.Fatalf("cut at %d: got %d records and error %v", i, len(got), err)
		}
	}
}

// TestDeliveryDamaged: a record that is not whole is told as damaged, whether
// the centre says so or not, and the next one still comes.
func TestDeliveryDamaged(t *testing.T) {
	t.Parallel()
	swapped, altered, lost, told := record(1, "claims"), record(1, "claims"), record(1, "claims"), record(1, "claims")
	swapped.Receipt = record(2, "other").Receipt
	swapped.Receipt.LogIndex = 1
	altered.Envelope.Parts[0].Sealed = []byte("CLAIMS")
	lost.Envelope.Parts[0].Sealed, lost.Damaged = nil, true
	told.Damaged = true
	next := record(2, "more")
	broken := frames(`{"receipt":{"log_index":1}}`, "not a record")
	for name, s := range map[string]struct {
		b     []byte
		whole bool // header and signature are there
	}{
		"receipt-of-other":  {deliver(t, swapped, next), false},
		"part-of-other":     {deliver(t, altered, next), true},
		"part-lost":         {deliver(t, lost, next), true},
		"as-told":           {deliver(t, told, next), true},
		"nothing-left":      {deliver(t, store.Record{Receipt: wire.Receipt{LogIndex: 1}, Damaged: true}, next), false},
		"no-envelope":       {append(broken, deliver(t, next)[4:]...), false},
		"header-and-nobody": {deliver(t, store.Record{Receipt: altered.Receipt, Damaged: true}, next), false},
	} {
		got, err := read(bytes.NewReader(s.b))
		if err != nil || len(got) != 2 {
			t.Errorf("%s: got %d records and error %v", name, len(got), err)
			continue
		}
		if !got[0].Damaged || got[0].Receipt.LogIndex != 1 || (got[0].Envelope.Header != nil) != s.whole {
			t.Errorf("%s: got %+v", name, got[0])
		}
		if s.whole && got[0].Envelope.RecHash() != got[0].Receipt.RecHash {
			t.Errorf("%s: the damaged record has another's name", name)
		}
		if got[1].Damaged || got[1].Envelope.RecHash() != next.Envelope.RecHash() {
			t.Errorf("%s: the next one is %+v", name, got[1].Receipt)
		}
	}
}

func TestDeliveryRefused(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"wrong-magic":       []byte("CPD2\x00\x00\x00\x00"),
		"huge-title":        append([]byte("CPD1"), 0xff, 0xff, 0xff, 0xff),
		"no-json":           frames("not json"),
		"huge-envelope":     append(frames("{}"), 0xff, 0xff, 0xff, 0xff),
		"nothing-after":     frames("{}", "not a record"),
		"envelope-promised": append(frames("{}"), 0, 0x10, 0, 0),
	} {
		if got, err := read(bytes.NewReader(b)); !errors.Is(err, store.ErrDelivery) {
			t.Errorf("%s: got %d records and error %v", name, len(got), err)
		}
	}
}

// frames writes a delivery's beginning by hand.
func frames(texts ...string) []byte {
	b := []byte("CPD1")
	for _, s := range texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// TestDeliveryStops: a reader that has enough reads no further.
func TestDeliveryStops(t *testing.T) {
	t.Parallel()
	first := deliver(t, record(1, "claims"))
	cut := bytes.NewReader(first[:len(first)-4])
	for range store.ReadDelivery(cut) {
		break
	}
}

func TestDeliveryWriteFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, d := range map[string]*store.Delivery{
		"at-once": store.NewDelivery(failing{0, broken}),
	} {
		if err := d.Write(record(1, "claims")); !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want the writer's error", name, err)
		}
		if err := d.Close(); !errors.Is(err, broken) {
			t.Errorf("%s: closing got %v, want the writer's error", name, err)
		}
	}
}

// failing fails every write.
type failing struct {
	n   int
	err error
}

func (f failing) Write([]byte) (int, error) { return f.n, f.err }

func FuzzReadDelivery(f *testing.F) {
	f.Add(deliver(f))
	f.Add(deliver(f, record(1, "claims"), record(2)))
	f.Add(frames("{}", "CPR1"))
	f.Add(deliver(f, store.Record{Receipt: wire.Receipt{LogIndex: 1}, Damaged: true}, record(2)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for r, err := range store.ReadDelivery(bytes.NewReader(b)) {
			if err != nil {
				if !errors.Is(err, store.ErrDelivery) {
					t.Fatalf("an error of another kind: %v", err)
				}
				return
			}
			if _, err := r.Envelope.Check(); !r.Damaged && (err != nil || r.Envelope.RecHash() != r.Receipt.RecHash) {
				t.Fatalf("a record that is not whole came through as such: %v", err)
			}
		}
	})
}

func FuzzParseInvite(f *testing.F) {
	f.Add("cpi1:h:1/00000000000000000000000000/" + wire.Hash{}.String())
	f.Add("cpi1:[::1]:8443/60rk4h36d1gp2x1h6mt3cd9p64/" + strings.ToUpper(wire.HashOf(nil).String()))
	f.Fuzz(func(t *testing.T, body string) {
		s := body + "/" + wire.HashOf([]byte(body)).String()[:8]
		i, err := store.ParseInvite(s)
		if err == nil && i.String() != strings.TrimSpace(s) {
			t.Fatalf("%q reads as %q", s, i)
		}
	})
}
