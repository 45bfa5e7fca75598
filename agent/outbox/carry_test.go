package outbox_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/outbox"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody/tpmtest"
	"github.com/counterproof/counterproof/sync/queue/parcel"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// openWith opens an outbox and closes it at the end, if that was not done.
func openWith(t *testing.T, dir string, set outbox.Settings) *outbox.Outbox {
	t.Helper()
	o, err := outbox.OpenWith(dir, "test", set)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// join enrols an outbox with the zone.
func (z *zone) join(t *testing.T, o *outbox.Outbox) string {
	t.Helper()
	id, err := o.Enrol(t.Context(), z.invite(t, central.Invitation{Site: "FWC87"}))
	if err != nil {
		t.Fatal(err)
	}
	return id.Agent
}

// record stores the visit of a number.
func record(t *testing.T, o *outbox.Outbox, n byte) proof.Ref {
	t.Helper()
	ref, err := o.Record(t.Context(), [16]byte{n, 7}, true, parts())
	if err != nil {
		t.Fatalf("recording visit %d: %v", n, err)
	}
	return ref
}

// sends runs an outbox until nothing waits.
func sends(t *testing.T, o *outbox.Outbox) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for o.State(ctx).Waiting > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it does not send: %+v", o.State(context.Background()))
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// arrived opens every record that the centre holds and returns them by their
// number, each with what its header says of who made it first.
func (z *zone) arrived(t *testing.T) map[byte]store.Record {
	t.Helper()
	all := map[byte]store.Record{}
	for r, err := range z.opener.Fetch(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		h, err := r.Envelope.Check()
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[h.Record[0]]; twice {
			t.Errorf("visit %d came twice", h.Record[0])
		}
		all[h.Record[0]] = r
		for i, p := range r.Envelope.Parts {
			plain, err := seal.Open(z.keys[p.Name], p, h.Parts[i], seal.Binding(h.Record, p.Name, h.Training))
			if err != nil || !bytes.Contains(plain, []byte(marker)) {
				t.Errorf("visit %d: part %s does not open: %v", h.Record[0], p.Name, err)
			}
		}
	}
	return all
}

// TestDeadTPM: the chip that holds the key dies while visits wait and one is under
// way. The counter is enrolled again, and every record arrives, whole, once, from
// the new identity, with the old one's signature inside.
func TestDeadTPM(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*tpmtest.TPM){"dead": (*tpmtest.TPM).Stop, "cleared": (*tpmtest.TPM).Replace} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chip := tpmtest.Start(t)
			z, dir, set := open(t), t.TempDir(), outbox.Settings{TPM: chip.Device}
			o := openWith(t, dir, set)
			first := z.join(t, o)
			record(t, o, 1)
			sends(t, o)
			record(t, o, 2)
			record(t, o, 3)
			if err := o.CanSeal(); err != nil {
				t.Fatal(err)
			}
			fail(chip)
			ref := record(t, o, 4) // this patient is already at the counter
			if err := o.CanSeal(); proof.KindOf(err) != proof.KindKeyAway {
				t.Errorf("the next visit may begin: %v", err)
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			o = openWith(t, dir, set)
			if s := o.State(t.Context()); s.Waiting != 3 {
				t.Errorf("after a new start %d wait, want 3", s.Waiting)
			}
			second := z.join(t, o)
			if second == first {
				t.Error("a lost key is the same agent")
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			o = openWith(t, dir, set)
			if again := record(t, o, 4); again != ref {
				t.Errorf("the visit is stored again as %s, was %s", again, ref)
			}
			record(t, o, 5)
			sends(t, o)
			all := z.arrived(t)
			if len(all) != 5 {
				t.Fatalf("%d records arrived, want 5", len(all))
			}
			checkOrigins(t, all, first, second)
			if found := readable(t, dir); found != "" {
				t.Errorf("readable: %s", found)
			}
		})
	}
}

// checkOrigins holds five records to who sent and who made them: 1 came from the
// first identity, 2 to 4 were carried over from it, 5 is the second one's own.
func checkOrigins(t *testing.T, all map[byte]store.Record, first, second string) {
	t.Helper()
	key, err := x509.ParsePKIXPublicKey(all[1].Origin.Public)
	if err != nil {
		t.Fatal(err)
	}
	for n, r := range all {
		h, err := wire.DecodeHeader(r.Envelope.Header)
		if err != nil {
			t.Fatal(err)
		}
		origin, carried := parcel.Origin(h)
		want := second
		if n == 1 {
			want = first
		}
		if string(h.Agent) != want || carried != (n > 1 && n < 5) {
			t.Errorf("visit %d is of %s, carried %v", n, h.Agent, carried)
		}
		// The fourth was signed when the chip had failed.
		if !carried || n == 4 {
			continue
		}
		origin.Parts = r.Envelope.Parts
		if _, err := seal.Verify(origin, asECDSA(t, key)); err != nil {
			t.Errorf("visit %d: the first signature: %v", n, err)
		}
	}
}

// TestTPMComesBack: a chip that was away for a while costs nothing: what was stored
// meanwhile is signed by it and sent from the same identity.
func TestTPMComesBack(t *testing.T) {
	t.Parallel()
	chip := tpmtest.Start(t)
	z, dir, set := open(t), t.TempDir(), outbox.Settings{TPM: chip.Device, Grade: "tpm"}
	o := openWith(t, dir, set)
	agent := z.join(t, o)
	record(t, o, 1)
	chip.Stop()
	record(t, o, 2)
	chip.Run()
	record(t, o, 3)
	sends(t, o)
	all := z.arrived(t)
	if len(all) != 3 {
		t.Fatalf("%d records arrived, want 3", len(all))
	}
	for n, r := range all {
		h, err := wire.DecodeHeader(r.Envelope.Header)
		if err != nil || string(h.Agent) != agent || r.Origin.Grade != "tpm" || h.Counter == 0 {
			t.Errorf("visit %d is of %s, grade %s, counter %d: %v", n, h.Agent, r.Origin.Grade, h.Counter, err)
		}
	}
}

// TestDemandedGradeIsTold: a counter that cannot keep its key as well as it must
// begins no visit and is not enrolled.
func TestDemandedGradeIsTold(t *testing.T) {
	t.Parallel()
	z := open(t)
	o := openWith(t, t.TempDir(), outbox.Settings{Grade: "tpm"})
	if _, err := o.Enrol(t.Context(), z.invite(t, central.Invitation{Site: "FWC87"})); err == nil {
		t.Error("enrolled")
	}
	if err := o.CanSeal(); proof.KindOf(err) != proof.KindNotEnrolled {
		t.Errorf("got %v", err)
	}
}

// TestOlderDiskIsTold: the chip knows of more records than the disk, and the
// screens say so; an honest start says nothing.
func TestOlderDiskIsTold(t *testing.T) {
	t.Parallel()
	chip := tpmtest.Start(t)
	z, dir, set := open(t), t.TempDir(), outbox.Settings{TPM: chip.Device}
	o := openWith(t, dir, set)
	z.join(t, o)
	record(t, o, 1)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(dir, "queue"))); err != nil {
		t.Fatal(err)
	}
	o = openWith(t, dir, set)
	if s := o.State(t.Context()); s.Problem != proof.KindNone {
		t.Errorf("without cause it says %s", s.Problem)
	}
	record(t, o, 2)
	record(t, o, 3)
	if err := errors.Join(o.Close(), os.RemoveAll(filepath.Join(dir, "queue")), os.CopyFS(filepath.Join(dir, "queue"), os.DirFS(old))); err != nil {
		t.Fatal(err)
	}
	o = openWith(t, dir, set)
	if s := o.State(t.Context()); s.Problem != proof.KindQueueDamaged || s.Waiting != 1 {
		t.Errorf("an older disk: %+v", s)
	}
}

// TestReplacementPC: what waits on one PC goes out as a file and arrives from
// another, once, however often it is carried; nothing in the file is readable.
func TestReplacementPC(t *testing.T) {
	t.Parallel()
	z := open(t)
	o, dir := z.enrolled(t)
	record(t, o, 1)
	sends(t, o)
	record(t, o, 2)
	record(t, o, 3)
	var file bytes.Buffer
	c, err := outbox.CarryOut(t.Context(), dir, &file, false) // while the counter runs
	if err != nil || c.Records != 2 || c.Left != 0 {
		t.Fatalf("carried out %+v: %v", c, err)
	}
	var all bytes.Buffer
	if c, err := outbox.CarryOut(t.Context(), dir, &all, true); err != nil || c.Records != 3 {
		t.Errorf("with all: %+v, %v", c, err)
	}
	if bytes.Contains(all.Bytes(), []byte(marker)) {
		t.Error("the file is readable")
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	other := openWith(t, t.TempDir(), outbox.Settings{})
	if _, err := other.CarryIn(t.Context(), bytes.NewReader(file.Bytes())); proof.KindOf(err) != proof.KindNotEnrolled {
		t.Errorf("into a counter that is not enrolled: %v", err)
	}
	z.join(t, other)
	for range 2 {
		if c, err := other.CarryIn(t.Context(), bytes.NewReader(file.Bytes())); err != nil || c.Records != 2 {
			t.Errorf("carried in %+v: %v", c, err)
		}
		sends(t, other)
	}
	cut := file.Bytes()[:file.Len()/2]
	if _, err := other.CarryIn(t.Context(), bytes.NewReader(cut)); !errors.Is(err, parcel.ErrCut) {
		t.Errorf("a file that was cut: %v", err)
	}
	if got := z.arrived(t); len(got) != 3 {
		t.Errorf("%d arrived, want 3", len(got))
	}
}

// TestDelivered: a file that is left for a running counter is taken in, and one
// that is damaged is not left.
func TestDelivered(t *testing.T) {
	t.Parallel()
	z := open(t)
	from, dir := z.enrolled(t)
	record(t, from, 1)
	var file bytes.Buffer
	if _, err := outbox.CarryOut(t.Context(), dir, &file, false); err != nil {
		t.Fatal(err)
	}
	into, where := z.enrolled(t)
	if _, err := outbox.Deliver(where, bytes.NewReader(file.Bytes()[:100])); !errors.Is(err, parcel.ErrCut) {
		t.Errorf("a damaged one: %v", err)
	}
	if n, err := outbox.Deliver(where, bytes.NewReader(file.Bytes())); n != 1 || err != nil {
		t.Fatalf("delivered %d: %v", n, err)
	}
	sends2 := func() int { return into.State(t.Context()).Acked }
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- into.Run(ctx) }()
	for tick := time.NewTicker(10 * time.Millisecond); sends2() == 0 && ctx.Err() == nil; {
		<-tick.C
	}
	stop()
	if err := <-ended; err != nil || sends2() != 1 {
		t.Errorf("it arrived %d times: %v", sends2(), err)
	}
	list, err := outbox.Records(t.Context(), where)
	if err != nil || len(list) != 1 || list[0].State != string(wire.Acked) {
		t.Errorf("listed %+v: %v", list, err)
	}
	files, err := filepath.Glob(filepath.Join(where, "carry-in", "*"))
	if err != nil || len(files) != 1 || !slices.Contains([]string{".done"}, filepath.Ext(files[0])) {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// asECDSA is a parsed key as what counters have.
func asECDSA(t *testing.T, key any) *ecdsa.PublicKey {
	t.Helper()
	public, ok := key.(*ecdsa.PublicKey)
	if !ok {
		t.Fatalf("the key is a %T", key)
	}
	return public
}
