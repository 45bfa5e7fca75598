package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/outbox"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// marker is planted in every part: it must never be readable on this side.
const marker = "PLANTEDMARKER"

// parts are the parts of an invented visit.
func parts() []packet.Part {
	return []packet.Part{
		{Name: packet.Claims, Bytes: []byte(`{"claims":"` + marker + `"}`)},
		{Name: packet.Audit, Bytes: []byte(`{"audit":"` + marker + `"}`)},
		{Name: packet.Evidence, Bytes: bytes.Repeat([]byte(marker), 20_000)},
	}
}

// zone is a running training centre and the keys of its opener.
type zone struct {
	centre  *central.Central
	address string
	keys    map[wire.PartName]seal.Key
	opener  *uplink.Client
}

// open starts a centre whose opener has handed in its keys.
func open(t *testing.T) *zone {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	centre, err := central.Open(ctx, central.Config{Dir: t.TempDir(), Training: true})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := central.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- centre.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-served, centre.Close()); err != nil {
			t.Errorf("stopping the centre: %v", err)
		}
	})
	z := &zone{centre: centre, address: listener.Addr().String(), keys: map[wire.PartName]seal.Key{}}
	z.enrolOpener(t)
	return z
}

// enrolOpener makes keys for three parts and hands them in.
func (z *zone) enrolOpener(t *testing.T) {
	t.Helper()
	keeper, err := custody.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	z.opener = uplink.New(uplink.Config{Keeper: keeper})
	if _, err := z.opener.Enrol(t.Context(), z.invite(t, central.Invitation{Opener: true})); err != nil {
		t.Fatal(err)
	}
	var recipients []wire.Recipient
	for _, name := range []wire.PartName{wire.PartClaims, wire.PartAudit, wire.PartEvidence} {
		key, r, err := seal.GenerateKey(seal.Hybrid)
		if err != nil {
			t.Fatal(err)
		}
		r.Part = name
		z.keys[name] = key
		recipients = append(recipients, r)
	}
	if err := z.opener.PutRecipients(t.Context(), recipients); err != nil {
		t.Fatal(err)
	}
}

func (z *zone) invite(t *testing.T, i central.Invitation) string {
	t.Helper()
	i.Address = z.address
	invite, err := z.centre.Invite(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return invite.String()
}

// enrolled is an outbox in a new folder that is enrolled with the zone.
func (z *zone) enrolled(t *testing.T) (*outbox.Outbox, string) {
	t.Helper()
	dir := t.TempDir()
	o, err := outbox.Open(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	id, err := o.Enrol(t.Context(), z.invite(t, central.Invitation{Site: "FWC87"}))
	if err != nil || id.Site != "FWC87" || !id.Training || id.Agent == "" {
		t.Fatalf("enrolling gives %+v: %v", id, err)
	}
	return o, dir
}

func TestRecordOnceAndOnlyForTheCentre(t *testing.T) {
	t.Parallel()
	z := open(t)
	o, dir := z.enrolled(t)
	record := [16]byte{1, 2, 3}
	ref, err := o.Record(t.Context(), record, true, parts())
	if err != nil {
		t.Fatalf("recording: %v", err)
	}
	if want := proof.Ref(wire.RecordID(record).Ref()); ref != want {
		t.Errorf("reference %s, want %s", ref, want)
	}
	again, err := o.Record(t.Context(), record, true, parts())
	if err != nil || again != ref {
		t.Errorf("recording again gives %s: %v", again, err)
	}
	if list, err := o.List(t.Context()); err != nil || len(list.Items) != 1 || list.Queue.Waiting != 1 || list.Queue.Oldest.IsZero() {
		t.Errorf("the queue is %+v: %v", list, err)
	}
	if where := readable(t, dir); where != "" {
		t.Errorf("the marker is readable in %s", where)
	}
	if err := os.WriteFile(filepath.Join(dir, "control"), []byte(marker), 0o600); err != nil {
		t.Fatal(err)
	}
	if readable(t, dir) == "" {
		t.Error("the negative control is not found: the search is blind")
	}
	z.opens(t, o, wire.RecordID(record))
}

// TestAnEnrolmentThatWasInterrupted is a power cut right after the invitation was
// spent: the counter knows its centre, and what it records gets there.
func TestAnEnrolmentThatWasInterrupted(t *testing.T) {
	t.Parallel()
	z := open(t)
	first, dir := z.enrolled(t)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "centre"), filepath.Join(dir, "centre.next")); err != nil {
		t.Fatal(err)
	}
	o, err := outbox.Open(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	record := [16]byte{4, 5, 6}
	if _, err := o.Record(t.Context(), record, true, parts()); err != nil {
		t.Fatal(err)
	}
	z.opens(t, o, wire.RecordID(record))
}

// TestAFailedEnrolmentKeepsTheCentre spends a wrong invitation on a counter that
// has its identity: it still knows where its records go.
func TestAFailedEnrolmentKeepsTheCentre(t *testing.T) {
	t.Parallel()
	z := open(t)
	o, dir := z.enrolled(t)
	before, err := os.ReadFile(filepath.Join(dir, "centre"))
	if err != nil {
		t.Fatal(err)
	}
	z.address = "127.0.0.1:1"
	elsewhere := z.invite(t, central.Invitation{Site: "FWC87"})
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	if _, err := o.Enrol(ctx, elsewhere); err == nil {
		t.Error("an invitation to nowhere was taken")
	}
	if after, err := os.ReadFile(filepath.Join(dir, "centre")); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the centre's address is %q, was %q: %v", after, before, err)
	}
}

// readable names a file under dir that holds the marker.
func readable(t *testing.T, dir string) (found string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(marker)) {
			found = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// opens sends the record and opens it in the zone: the parts are what was given.
func (z *zone) opens(t *testing.T, o *outbox.Outbox, id wire.RecordID) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- o.Run(ctx) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for o.State(ctx).Acked == 0 {
		select {
		case <-ctx.Done():
			t.Fatalf("the centre has not answered: %+v", o.State(t.Context()))
		case <-tick.C:
		}
	}
	opened := 0
	for record, err := range z.opener.Fetch(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		header, err := wire.DecodeHeader(record.Envelope.Header)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range record.Envelope.Parts {
			clear, err := seal.Open(z.keys[p.Name], p, header.Parts[i], seal.Binding(id, p.Name, true))
			if err != nil || !bytes.Equal(clear, parts()[i].Bytes) {
				t.Errorf("part %s opens to other bytes: %v", p.Name, err)
			}
			if _, err := seal.Open(z.keys[p.Name], p, header.Parts[i], seal.Binding(wire.RecordID{9}, p.Name, true)); err == nil {
				t.Errorf("part %s opens as another record's", p.Name)
			}
			opened++
		}
	}
	stop()
	if err := <-ran; err != nil || opened != 3 {
		t.Errorf("%d parts opened, %v", opened, err)
	}
}

func TestBeforeTheEnrolment(t *testing.T) {
	t.Parallel()
	o, err := outbox.Open(t.TempDir(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := o.Identity(); proof.KindOf(err) != proof.KindNotEnrolled {
		t.Errorf("identity: %v", err)
	}
	if _, err := o.Record(t.Context(), [16]byte{1}, true, parts()); proof.KindOf(err) != proof.KindNotEnrolled {
		t.Errorf("recording: %v", err)
	}
	if err := o.CanSeal(); proof.KindOf(err) != proof.KindNotEnrolled {
		t.Errorf("sealing could begin: %v", err)
	}
	if _, err := o.Enrol(t.Context(), "cpi1:nonsense"); proof.KindOf(err) != proof.KindEnrolCode {
		t.Errorf("a wrong invitation: %v", err)
	}
	if s := o.State(t.Context()); s.Waiting != 0 || !s.SafeOff {
		t.Errorf("the empty queue is %+v", s)
	}
	wrapped, err := o.Wrap("draft", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	if key, err := o.Unwrap("draft", wrapped); err != nil || string(key) != "key" {
		t.Errorf("unwrapping: %v", err)
	}
	if _, err := o.Unwrap("other", wrapped); err == nil {
		t.Error("a key was unwrapped for another purpose")
	}
}

func TestPartWithoutARecipient(t *testing.T) {
	t.Parallel()
	z := open(t)
	o, _ := z.enrolled(t)
	if err := o.CanSeal(); err != nil {
		t.Errorf("with all keys sealing cannot begin: %v", err)
	}
	more := append(parts(), packet.Part{Name: "notes", Bytes: []byte("x")})
	if _, err := o.Record(t.Context(), [16]byte{1}, true, more); proof.KindOf(err) != proof.KindNotEnrolled {
		t.Errorf("a part that nobody can open: %v", err)
	}
	if s := o.State(t.Context()); s.Waiting != 0 {
		t.Errorf("half a record was queued: %+v", s)
	}
	chip := append(parts(), packet.Part{Name: packet.Chip, Bytes: []byte("x")})
	if _, err := o.Record(t.Context(), [16]byte{2}, true, chip); err != nil {
		t.Errorf("a visit waits for a centre that wants no chip files: %v", err)
	}
}

func TestInvitationWorksOnce(t *testing.T) {
	t.Parallel()
	z := open(t)
	invite := z.invite(t, central.Invitation{Site: "FWC87"})
	for i, want := range []proof.Kind{proof.KindNone, proof.KindEnrolCode} {
		o, err := outbox.Open(t.TempDir(), "test")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Enrol(t.Context(), invite); proof.KindOf(err) != want {
			t.Errorf("use %d of an invitation: %v", i+1, err)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryWireKindHasWords(t *testing.T) {
	t.Parallel()
	// Read from the source of both, so that a new kind is not forgotten.
	wireKinds := names(t, filepath.Join("..", "..", "sync", "wire", "wire.go"), "Kind")
	source, err := os.ReadFile("outbox.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(wireKinds) < 10 {
		t.Fatalf("only %v found: the search is blind", wireKinds)
	}
	for _, k := range wireKinds {
		if !bytes.Contains(source, []byte("wire."+k+":")) {
			t.Errorf("wire.%s has no Kind that a person is shown", k)
		}
	}
}

// names lists the constants of a type in a file.
func names(t *testing.T, file, typ string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typ {
				out = append(out, spec.Names[0].Name)
			}
		}
		return true
	})
	return out
}
