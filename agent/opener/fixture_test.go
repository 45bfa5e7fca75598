package opener

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"iter"
	"log/slog"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/opener/vault"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// The invented holder of a passport of Utopia, in date until 2031.
var specimen = []string{
	"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<",
	"U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04",
}

// markers are words of the specimen that no file of the opener and no line may
// hold.
var markers = []string{"SPECIMEN", "MORGAN", "WREN", "U1234567", "850312", "1985-03-12", "Morgan"}

var trained = proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 1}, Document: proof.Date{Year: 2025, Month: 1, Day: 10}}

func policy(t testing.TB) *gpg45.Policy {
	t.Helper()
	p, err := gpg45.Load(gpg45.Default)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sealing is how a counter makes one record; the zero one is a proved visit in
// training.
type sealing struct {
	real    bool                                        // made outside training
	name    byte                                        // of the record; drawn from the log if 0
	facts   []proof.Fact                                // between consent and decision; those of a good visit if nil
	events  func([]proof.Event) []proof.Event           // changes the decided visit before it is packed
	outcome func(*proof.Outcome)                        // what the counter says instead
	parts   func([]packet.Part) []packet.Part           // changes what is sealed
	header  func(*wire.Header, []wire.Part) []wire.Part // changes what is signed
	after   func(*wire.Envelope)                        // damages what is stored
	keys    []wire.Recipient                            // sealed to them instead
}

// sealedAt is when the counter of these tests seals: an hour after the visit.
var sealedAt = time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)

// goodFacts are those of a visit that comes to L1B.
func goodFacts(t testing.TB) []proof.Fact {
	return []proof.Fact{
		proof.DocumentRead{Source: proof.FromCamera, Lines: specimen, Score: -0.05, Page: "page-3", Portrait: "portrait-3"},
		proof.DocumentExamined{Original: true, Details: proof.Agree, Features: policy(t).Features(proof.Passport), Trained: trained},
		proof.ConsentAnswered{Purpose: proof.ForFace, Given: true},
		proof.FaceTaken{Picture: "live-6"},
		proof.FacesCompared{Score: 3.6, Decision: proof.Match, Portrait: "portrait-3", Live: "live-6"},
		proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson, Trained: trained},
	}
}

// visit makes the events of a decided, confirmed visit.
func (s sealing) visit(t testing.TB, id wire.RecordID) []proof.Event {
	t.Helper()
	facts := s.facts
	if facts == nil {
		facts = goodFacts(t)
	}
	begin := proof.VisitStarted{
		Case: "case0001", Record: id.String(), Route: proof.PhotoDocument, Language: "cy", Training: !s.real,
		Policy: gpg45.Default, Operator: trained,
	}
	var events []proof.Event
	add := func(f proof.Fact) {
		at := time.Date(2026, 11, 22, 10, len(events), 0, 0, time.UTC)
		events = append(events, proof.Event{Seq: len(events) + 1, At: at, By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Fact: f})
	}
	add(begin)
	add(proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true})
	for _, f := range facts {
		add(f)
	}
	out := verdict.Decide(route.Fold(events), policy(t))
	if s.outcome != nil {
		s.outcome(&out)
	}
	add(proof.VisitDecided{Outcome: out})
	add(proof.ResultConfirmed{})
	if asks := route.Asks(route.Fold(events)); len(asks) > 0 && asks[0].Kind == proof.MakeClaim {
		add(proof.ClaimMade{Token: "TOKEN", Until: proof.Date{Year: 2027, Month: 2, Day: 20}})
	}
	if s.events != nil {
		events = s.events(events)
	}
	return events
}

// world is an opener with its folder and the centre that it asks.
type world struct {
	*fakeCentre
	t       *testing.T
	dir     string
	counter *ecdsa.PrivateKey
	keys    []wire.Recipient
	log     strings.Builder
	last    *Opener
	token   vault.Token
	// confirms judges chips once more, if it is set.
	confirms func([]byte, proof.ChipRead) bool
}

// newWorld makes keys and enrols an opener with a centre of the given mode.
func newWorld(t *testing.T, training bool) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), fakeCentre: &fakeCentre{bad: map[uint64]error{}}}
	var err error
	if w.keys, err = Keygen(w.dir, seal.Classical); err != nil {
		t.Fatal(err)
	}
	if w.counter, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	keeper, err := custody.Open(filepath.Join(w.dir, identityFolder))
	if err != nil {
		t.Fatal(err)
	}
	pattern := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, pattern, pattern, keeper.Signer().Public(), keeper.Signer())
	if err != nil {
		t.Fatal(err)
	}
	err = keeper.SaveIdentity(custody.Identity{Agent: "agent-opener", Training: training, Chain: [][]byte{der}, CentreCA: der})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// open opens the opener of this world, as a new process would when the one
// before it is gone.
func (w *world) open() *Opener {
	w.t.Helper()
	if w.last != nil {
		_ = w.last.Close()
	}
	o, err := Open(Config{Dir: w.dir, Token: w.token, Log: slog.New(slog.NewJSONHandler(&w.log, nil))})
	if err != nil {
		w.t.Fatal(err)
	}
	o.centre, o.office = w.fakeCentre, w.fakeCentre
	w.last = o
	w.t.Cleanup(func() { _ = o.Close() })
	return o
}

// once opens all that is new and returns the results.
func (w *world) once() []Result {
	w.t.Helper()
	var got []Result
	o := w.open()
	o.Confirm(w.confirms)
	n, err := o.Once(w.t.Context(), func(r Result) { got = append(got, r) })
	if err != nil || n != len(got) {
		w.t.Fatalf("took %d records and showed %d: %v", n, len(got), err)
	}
	return got
}

// add seals a visit as a counter does and stores it as the centre does.
func (w *world) add(s sealing) store.Record {
	w.t.Helper()
	index := uint64(len(w.records) + 1)
	id := wire.RecordID{byte(index), 15: byte(index)}
	if s.name != 0 {
		id = wire.RecordID{s.name, 15: s.name}
	}
	events := s.visit(w.t, id)
	parts, err := packet.Build(route.Fold(events), events, func(p proof.PictureID) ([]byte, error) { return []byte("jpeg of " + p), nil })
	if err != nil {
		w.t.Fatal(err)
	}
	if s.parts != nil {
		parts = s.parts(parts)
	}
	h := wire.Header{
		Version: 1, Agent: "agent-7", Seq: wire.Seq(index), Record: id, Wall: sealedAt, Training: !s.real,
	}
	if index > 1 && h.Agent == w.records[index-2].Receipt.Agent {
		h.Prev = w.records[index-2].Receipt.RecHash
	}
	keys := w.keys
	if s.keys != nil {
		keys = s.keys
	}
	sealed := sealAll(w.t, &h, keys, parts)
	if s.header != nil {
		sealed = s.header(&h, sealed)
	}
	envelope, err := seal.Envelope(h, sealed, w.counter)
	if err != nil {
		w.t.Fatal(err)
	}
	if s.after != nil {
		s.after(&envelope)
	}
	r := store.Record{Envelope: envelope, Receipt: wire.Receipt{Agent: h.Agent, Seq: h.Seq, LogIndex: index, RecHash: envelope.RecHash()}}
	w.records = append(w.records, r)
	return r
}

// sealAll seals every part to its key and describes it in the header.
func sealAll(t testing.TB, h *wire.Header, keys []wire.Recipient, parts []packet.Part) []wire.Part {
	t.Helper()
	var sealed []wire.Part
	for _, p := range parts {
		name := wire.PartName(p.Name)
		i := slices.IndexFunc(keys, func(r wire.Recipient) bool { return r.Part == name })
		part, info, err := seal.Seal(keys[i], name, seal.Binding(h.Record, name, h.Training), p.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		sealed, h.Parts = append(sealed, part), append(h.Parts, info)
	}
	return sealed
}

// fakeCentre is a centre in memory that gives pages of two.
type fakeCentre struct {
	records []store.Record
	bad     map[uint64]error // told beside the record of that place
	cut     uint64           // the line breaks before the record of that place
	handed  []wire.Recipient
	asked   []uint64
	away    error
	tries   int           // how often it is asked before it is there again
	posted  []wire.Notice // its list of the opener's news
	silent  bool          // it takes no news
	flags   []wire.Flag
	leaves  []wire.Leaf
	closed  error // what the office says instead of taking anything
}

// Flags takes flags.
func (f *fakeCentre) Flags(_ context.Context, flags []wire.Flag) error {
	if f.closed == nil {
		f.flags = append(f.flags, flags...)
	}
	return f.closed
}

// PostLeaves takes leaves.
func (f *fakeCentre) PostLeaves(_ context.Context, leaves []wire.Leaf) (int, error) {
	if f.closed != nil {
		return 0, f.closed
	}
	f.leaves = append(f.leaves, leaves...)
	return len(leaves), nil
}

// PostNews brings both lists to the same end, as the line does.
func (f *fakeCentre) PostNews(_ context.Context, own uplink.Outbox) (int, error) {
	if f.silent {
		return 0, &wire.Error{Op: "posting news", Kind: wire.KindUnreachable}
	}
	for ; own.Len < uint64(len(f.posted)); own.Len++ {
		if err := own.Take(wire.Placed{N: own.Len + 1, Notice: f.posted[own.Len]}); err != nil {
			return 0, err
		}
	}
	sent := 0
	for uint64(len(f.posted)) < own.Len {
		n, err := own.Read(uint64(len(f.posted)) + 1)
		if err != nil {
			return sent, err
		}
		f.posted, sent = append(f.posted, n), sent+1
	}
	return sent, nil
}

func (f *fakeCentre) Enrol(context.Context, string) (custody.Identity, error) {
	return custody.Identity{}, f.away
}

func (f *fakeCentre) Refresh(context.Context) error {
	if f.tries--; f.tries == 0 {
		f.away = nil
	}
	return f.away
}

func (f *fakeCentre) PutRecipients(_ context.Context, r []wire.Recipient) error {
	f.handed = r
	return f.away
}

func (f *fakeCentre) Fetch(_ context.Context, after uint64) iter.Seq2[store.Record, error] {
	return func(yield func(store.Record, error) bool) {
		f.asked = append(f.asked, after)
		for i := after; i < min(after+2, uint64(len(f.records))); i++ {
			r := f.records[i]
			if r.Receipt.LogIndex == f.cut {
				yield(store.Record{}, &wire.Error{Op: "fetching records", Kind: wire.KindUnreachable})
				return
			}
			if !yield(r, f.bad[r.Receipt.LogIndex]) {
				return
			}
		}
	}
}
