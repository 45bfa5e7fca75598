// Package desk runs one visit at a time: it performs what package route asks,
// with the cameras, the reader, the matcher, the clerk's answers, the queue and
// the printer, and writes every event to the draft before anybody is answered.
// It has no rules of its own: what is asked, what counts and how it ends is
// decided by route and gpg45.
//
// # The laws
//
//   - An event is on disk before the call that caused it returns. Answers name
//     the events that they have seen, so a repeated call changes nothing.
//   - A capture runs because a person started it, ends by itself, and is never
//     started again by the desk.
//   - Failure, refusal and time-out are events like any other.
//   - Only the operator who has the visit is answered or shown anything of it; a
//     visit that has ended names nobody.
//   - The record is in the queue before the draft is erased; in between, doing
//     it again finds the record by its name and adds nothing.
package desk

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"image"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/draft"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/ocr"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
)

// Cameras finds the camera of a role; it never returns nil.
type Cameras interface {
	Camera(role devices.Role) devices.Camera
}

// Matcher judges and compares faces. Errors carry the Kind to show.
type Matcher interface {
	// Look judges one frame of the patient: KindNone when it will do, and where
	// it will not, the one thing to change.
	Look(frame image.Image) (proof.Kind, error)
	// Compare compares a portrait with a live face. It is called only after the
	// event that consents, which it is told.
	Compare(consent int, portrait, live image.Image) (proof.FacesCompared, error)
}

// Recorder seals a visit's parts and puts them into the queue. Doing it again
// under the same record name gives the first reference.
type Recorder interface {
	Record(ctx context.Context, record [16]byte, training bool, parts []packet.Part) (proof.Ref, error)
}

// SlipPrinter prints the slip of a finished visit and tells its lines.
type SlipPrinter interface {
	Lines(v route.State) []string
	Print(ctx context.Context, v route.State) error
}

// Config is what a desk works with. All fields but Symbols, Clerks, Templates, Now, Capture
// and Notify are needed.
type Config struct {
	Drafts   *draft.Store
	Cameras  Cameras
	Readers  Readers // nil for none beside the cameras
	Chips    Chips   // nil where none can be read
	Reader   *ocr.Reader
	Matcher  Matcher
	Recorder Recorder
	Slips    SlipPrinter
	// Symbols reads the bar codes in a frame: the symbology and the text of each.
	// Nil reads none.
	Symbols func(image.Image) []proof.EvidenceScanned
	// Clerks lists the operators of this counter, so that one who proves a
	// colleague is noticed. Nil notices none.
	Clerks   func() []proof.Operator
	Policy   *gpg45.Policy
	Site     string
	App      string
	Training bool
	// Templates is when this counter's pictures of documents under UV and
	// infrared were last refreshed; zero where it has no such lamp.
	Templates proof.Date
	// Capture ends a capture that found nothing good; zero is 60 s.
	Capture time.Duration
	// Now tells the time; nil is time.Now.
	Now func() time.Time
	// Notify hears what changed; it must not block or call the desk.
	Notify func(api.Event)
}

// Desk runs the visits of one counter. Its methods may be called from any
// goroutine.
type Desk struct {
	cfg     Config
	began   time.Time
	preview *preview

	mu    sync.Mutex
	state route.State
	draft *draft.Draft // nil when no visit is open
	last  *api.Visit   // the visit that ended last, until the next begins
	films *filming     // the capture that is running; nil without one
}

// Open makes a desk and takes up the visit that a crash or a power cut left
// open. A damaged draft is reported beside a desk that works: its file stays.
func Open(ctx context.Context, cfg Config) (*Desk, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Capture == 0 {
		cfg.Capture = time.Minute
	}
	if cfg.Notify == nil {
		cfg.Notify = func(api.Event) {}
	}
	d := &Desk{cfg: cfg, began: cfg.Now(), preview: newPreview()}
	return d, d.resume(ctx)
}

// resume takes up the visit that was open. More than one draft is left where an
// ended one could not be erased: those that have ended are erased, those whose
// record is in the queue are closed, and the one that began last is open again.
func (d *Desk) resume(ctx context.Context) error {
	ids, err := d.cfg.Drafts.Visits()
	if err != nil {
		return err
	}
	var failed error
	var open []*draft.Draft
	for _, id := range ids {
		found, err := d.cfg.Drafts.Resume(id)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if route.Fold(found.Events()).Open() {
			open = append(open, found)
			continue
		}
		failed = errors.Join(failed, found.Erase())
	}
	slices.SortFunc(open, func(a, b *draft.Draft) int {
		return route.Fold(b.Events()).Started.At.Compare(route.Fold(a.Events()).Started.At)
	})
	for i, found := range open {
		switch {
		case i == 0:
			failed = errors.Join(failed, d.takeUp(ctx, found))
		case route.Fold(found.Events()).Ref != "":
			failed = errors.Join(failed, found.Erase()) // its record is safe; at most a slip is missing
		default:
			failed = errors.Join(failed, found.Close(), &proof.Error{Op: "resuming visits", Kind: proof.KindVisitOpen})
		}
	}
	return failed
}

// takeUp goes on with one draft where it stopped.
func (d *Desk) takeUp(ctx context.Context, found *draft.Draft) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draft, d.state = found, route.Fold(found.Events())
	if ask := route.Asks(d.state)[0]; ask.Kind == proof.PrintSlip {
		return nil // the printer is not found yet, and it may have printed: a person says
	}
	return d.proceed(ctx)
}

// Start opens a visit for an operator. One that is open already must end first.
func (d *Desk) Start(ctx context.Context, op proof.Operator, want api.NewVisit) (api.Visit, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draft != nil {
		return api.Visit{}, &proof.Error{Op: "starting a visit", Kind: proof.KindVisitOpen}
	}
	if !slices.Contains(route.Routes(), want.Route) {
		return api.Visit{}, &proof.Error{Op: "starting a visit", Kind: proof.KindBadRequest}
	}
	continues, kind := entry.Continues(want.Continues)
	if kind != proof.KindNone {
		return api.Visit{}, &proof.Error{Op: "starting a visit", Kind: kind}
	}
	id := newCaseID()
	opened, err := d.cfg.Drafts.Begin(id)
	if err != nil {
		return api.Visit{}, err
	}
	d.draft, d.state, d.last = opened, route.State{}, nil
	err = d.write(ctx, person(op), proof.VisitStarted{
		Case: id, Record: newRecord(), Route: want.Route, Language: language(want.Language), Site: d.cfg.Site,
		Training: d.cfg.Training, Policy: d.cfg.Policy.Version(), App: d.cfg.App, Operator: op.Training, Continues: continues,
		Chips: d.hasChips(),
	})
	if err != nil {
		err = errors.Join(err, opened.Erase())
		d.draft, d.state = nil, route.State{}
		return api.Visit{}, err
	}
	return d.view(), nil
}

// Visit is the open visit, or the one that ended last.
func (d *Desk) Visit() (api.Visit, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.draft != nil:
		return d.view(), nil
	case d.last != nil:
		return *d.last, nil
	}
	return api.Visit{}, &proof.Error{Op: "reading the visit", Kind: proof.KindNoVisit}
}

// OpenVisit names the open visit, empty without one.
func (d *Desk) OpenVisit() proof.CaseID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.Visit.Case
}

// Picture fetches a picture of the open visit for the operator who has it. The
// visit is named, because its pictures are named alike in every visit.
func (d *Desk) Picture(op proof.OperatorID, visit proof.CaseID, id proof.PictureID) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.draft == nil || d.state.Visit.Case != visit:
		return nil, &proof.Error{Op: "reading a picture", Kind: proof.KindNoVisit}
	case d.state.Operator != op:
		return nil, &proof.Error{Op: "reading a picture", Kind: proof.KindNotAllowed}
	}
	return d.draft.Picture(id)
}

// HandOver gives the open visit to another operator, who has signed in.
func (d *Desk) HandOver(ctx context.Context, from, to proof.Operator) (api.Visit, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draft == nil {
		return api.Visit{}, &proof.Error{Op: "handing over", Kind: proof.KindNoVisit}
	}
	d.stopFilming() // what the camera sees is for whoever has the visit then
	if err := d.write(ctx, person(from), proof.HandedOver{To: to.ID, Trained: to.Training}); err != nil {
		return d.view(), err
	}
	return d.view(), nil
}

// Leave ends the capture of an operator who goes away; the visit stays open.
func (d *Desk) Leave(op proof.OperatorID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Operator == op {
		d.stopFilming()
	}
}

// Operator is who has the open visit, "" without one.
func (d *Desk) Operator() proof.OperatorID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.Operator
}

// write records one fact: it must be allowed, it is on disk when write returns,
// and the screens hear of it. d.mu is held.
func (d *Desk) write(_ context.Context, by proof.Actor, fact proof.Fact, pictures ...draft.Picture) error {
	if !route.Allowed(d.state, fact) {
		return &proof.Error{Op: "recording a step", Kind: proof.KindAskNotOpen}
	}
	now := d.cfg.Now()
	event := proof.Event{Seq: d.state.Seq + 1, At: now.UTC().Round(0), Mono: now.Sub(d.began), By: by, Fact: fact}
	if _, ended := fact.(proof.VisitEnded); !ended {
		if err := d.draft.Append(event, pictures...); err != nil {
			return err
		}
	}
	d.state, _ = route.Next(d.state, event)
	d.cfg.Notify(api.Event{Kind: api.EventVisit, Visit: d.state.Visit.Case})
	return nil
}

// proceed performs what needs no person, until one is asked or something
// fails. A failure leaves its ask open; the next call tries again. d.mu is held.
func (d *Desk) proceed(ctx context.Context) error {
	for {
		asks := route.Asks(d.state)
		if len(asks) == 0 {
			return nil
		}
		perform, ok := d.performers()[asks[0].Kind]
		if !ok || asks[0].Kind == proof.PrintSlip && asks[0].Problem != "" {
			return nil
		}
		if err := perform(ctx); err != nil {
			return err
		}
	}
}

// performers are the asks that the desk performs by itself.
func (d *Desk) performers() map[proof.AskKind]func(context.Context) error {
	p := map[proof.AskKind]func(context.Context) error{
		proof.CompareFaces: d.compareFaces,
		proof.Decide:       d.decide,
		proof.SealRecord:   d.sealRecord,
		proof.PrintSlip:    d.printSlip,
		proof.MakeClaim:    d.makeClaim,
	}
	if d.state.Outcome != nil && d.state.Outcome.Result == proof.Abandoned {
		p[proof.EndVisit] = d.endVisit
	}
	return p
}

// person is an operator as an actor.
func person(op proof.Operator) proof.Actor { return proof.Actor{Kind: proof.ByPerson, ID: op.ID} }

// system is the desk itself as an actor.
func system() proof.Actor { return proof.Actor{Kind: proof.BySystem} }

// newCaseID draws a visit's name: 128 random bits.
func newCaseID() proof.CaseID {
	b := make([]byte, 16)
	rand.Read(b)
	return proof.CaseID(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)))
}

// newRecord draws the name of the record to be.
func newRecord() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// language keeps a language tag if it is one, else English.
func language(tag string) string {
	if tag == "" || len(tag) > 20 || strings.Trim(strings.ToLower(tag), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "en"
	}
	return tag
}
