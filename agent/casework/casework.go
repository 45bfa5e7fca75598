// Package casework works opened visits to their end: it asks the outside sources,
// the practice and the NHS record, joins visits that belong together, looks for
// abuse across visits, gives the final levels, has the account made, redeems
// claim tokens, writes letters, and tells the site what has become of each.
//
// It opens no record, knows no key that records are sealed to, and proves nobody:
// package verdict says what a visit comes to, by what is known here.
//
// # The laws
//
//   - Nothing of a person is on the disk but the letters: what is kept of a case
//     are hashes, references, keyed tags and levels. When a case goes on later,
//     its record is fetched again.
//   - Each step is on the disk before the next begins. After a crash a case goes
//     on where it was: no news is told twice or lost, no account is asked for
//     once it is there, no token is good twice.
//   - Whatever does not answer is asked again, later and later. Until all has
//     answered nothing final is said.
//   - A record that stays hidden, a death and a record that was withdrawn look
//     like no match to everybody but the people who review.
//   - A case that anything speaks against gives no level until people let it
//     pass, and the site does not hear why. They let pass what they saw: what
//     comes to light later they look at again.
//   - A vouch that was taken back counts nowhere, in no visit that was joined
//     either, and no token gives an account when its visit has fallen since.
//   - The list of limits and used tokens is chained by a key: a line that was
//     changed or taken away stops the start.
package casework

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/sync/wire"
)

// The folders under Config.Dir, beside the ledger.
const (
	letterFolder = "letters"
	rulingFolder = "decisions"
)

// Opened is a record that the opener has opened and scored again.
type Opened struct {
	Agent wire.AgentID
	Ref   wire.Ref
	Rec   wire.Hash
	Index uint64 // place in the centre's log, from 1
	// Damaged says that the record is good for nothing: the patient must be asked
	// back. Nothing below counts then.
	Damaged  bool
	Findings []proof.Code // what speaks against the record itself
	State    route.State
}

// Archive fetches records again.
type Archive interface {
	// Reopen fetches the record at a place in the log and opens it. Any error
	// means that it is asked for again later.
	Reopen(ctx context.Context, index uint64) (Opened, error)
}

// Teller takes news for the sites.
type Teller interface {
	// Tell keeps news for good, to be told to a counter. The same counter,
	// reference and kind again changes nothing. An error is about the own disk.
	Tell(ctx context.Context, agent wire.AgentID, ref wire.Ref, kind wire.NoticeKind, at time.Time) error
}

// Records is the search for people's NHS records.
type Records interface {
	// Match finds the record of a person. The same claim again asks the same.
	Match(ctx context.Context, c Claimed) (Match, *Delay)
}

// Claimed is the person whose record is wanted.
type Claimed struct {
	Person   proof.Person
	Zone     int // characters that a machine-readable zone had for the name, 0 without one
	Postcode string
	Number   nhs.Number // as the person gave it
	ODS      string     // of the organisation that asks
	Rec      wire.Hash  // names the question, so that it is known when it comes again
}

// Match is what the search came to.
type Match struct {
	Record nhs.Record
	Number nhs.Number // of the record, where there is one. It is shown to nobody
	// Live says of a record that is Stopped that it is this person's and of
	// somebody alive, so that people may release it.
	Live bool
}

// Accounts makes accounts of level P9 at NHS login.
type Accounts interface {
	// Provision asks for an account. Asking again is safe: an account that is
	// there or on its way is Done.
	Provision(ctx context.Context, a Account) Provisioned
}

// Account is a patient for whom one is made.
type Account struct {
	Number        nhs.Number
	Birth         proof.Date
	Email, Mobile string
	ODS           string // of the organisation that provisions
}

// Disposition is what to do about a request for an account.
type Disposition string

// The dispositions.
const (
	Done        Disposition = "done"
	Retry       Disposition = "retry"
	SlowDown    Disposition = "slow_down"    // the organisation asks too often
	FixContact  Disposition = "fix_contact"  // another e-mail address or mobile number is needed
	FixDetail   Disposition = "fix_detail"   // a detail that nobody at a counter can put right
	ConfigAlarm Disposition = "config_alarm" // people must look at our set-up
	Final       Disposition = "final"        // never
)

// Provisioned is what a request for an account came to.
type Provisioned struct {
	Disposition Disposition
	Wait        time.Duration // at least so long until the next try
	Err         error         // for the log; it names nobody
}

// Delay is why something has no answer yet.
type Delay struct {
	Wait  time.Duration // at least so long until the next try
	Alarm bool          // people must look at our set-up
	Err   error         // for the log; it names nobody
}

// Contacts knows which contact details were confirmed by a code.
type Contacts interface {
	// Confirmed reports whether both were; ok is false where nobody can tell now.
	Confirmed(ctx context.Context, email, mobile string) (confirmed, ok bool)
}

// Wishes takes a patient's wishes to where they are applied.
type Wishes interface {
	// PassOn passes wishes on; ok is false where nobody takes them now.
	PassOn(ctx context.Context, number nhs.Number, p proof.PreferencesGiven) (ok bool)
}

// Services are what is outside. What is nil is not there: nothing is asked of it
// and nothing is said about what it does.
type Services struct {
	Sources  []source.Source
	Practice source.Practice
	Records  Records // needed
	Accounts Accounts
	Contacts Contacts
	Wishes   Wishes
}

// Config says what a Worker works with.
type Config struct {
	Dir     string // ledger, tag key, letters; made if missing
	Archive Archive
	Teller  Teller
	Services
	// Sites gives the ODS code of the organisation that a site acts for, such as
	// a post office's; a site that is not named acts for itself.
	Sites map[string]string
	Log   *slog.Logger // silent if nil
}

// Worker works cases. It is for one goroutine, and one process at a time works
// on its folder.
type Worker struct {
	cfg    Config
	log    *slog.Logger
	tags   limit.Tagger
	ledger *ledger.Ledger
	book   *book
	fresh  map[wire.Hash]Opened // not worked yet, so that they need not be fetched again
	rules  map[string]*gpg45.Policy
}

// maxFresh bounds the records that are kept in memory.
const maxFresh = 200

// Open opens a folder. It starts nothing and asks nobody. The caller closes it.
func Open(cfg Config) (*Worker, error) {
	w, err := open(cfg)
	if err != nil {
		return nil, fmt.Errorf("opening the casework: %w", err)
	}
	return w, nil
}

func open(cfg Config) (*Worker, error) {
	if cfg.Archive == nil || cfg.Teller == nil || cfg.Records == nil {
		return nil, errors.New("it has no archive, nobody to tell or no NHS records")
	}
	for _, dir := range []string{cfg.Dir, filepath.Join(cfg.Dir, letterFolder), filepath.Join(cfg.Dir, rulingFolder)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	key, err := ledger.Key(cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	w := &Worker{cfg: cfg, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)), book: newBook(),
		fresh: map[wire.Hash]Opened{}, rules: map[string]*gpg45.Policy{}}
	if w.tags, err = limit.NewTagger(key); err != nil {
		return nil, err
	}
	w.ledger, err = ledger.Open(cfg.Dir, key, w.book.read)
	return w, err
}

// Close closes the ledger; nothing is lost without it.
func (w *Worker) Close() error { return w.ledger.Close() }

// Take keeps for good that there is a case, and asks nobody yet. The same record
// may come again, and from another place where the centre was restored.
func (w *Worker) Take(o Opened) error {
	if e := w.book.cases[o.Rec]; e == nil || e.Index != o.Index {
		t := &taken{Agent: o.Agent, Ref: o.Ref, Index: o.Index, Damaged: o.Damaged, Findings: o.Findings}
		t.Nothing = !o.Damaged && len(o.Findings) == 0 && o.State.Abandoned
		if err := w.add(line{Rec: o.Rec, Step: stepTaken, Taken: t}); err != nil {
			return err
		}
	}
	if w.book.cases[o.Rec].stage == stageDue && len(w.fresh) < maxFresh {
		w.fresh[o.Rec] = o
	}
	return nil
}

// maxWork bounds the time of a call of Work: services that are slow to fail keep
// nobody from fetching records and telling news.
const maxWork = time.Minute

// Work works the cases that are due, or as many as there is time for. An error is
// about the own disk, or ctx ended; what others fail in, and what there was no
// time for, is for a later call.
func (w *Worker) Work(ctx context.Context) error {
	for _, e := range w.book.order {
		if e.stage != stageReview {
			continue
		}
		if err := w.tellReview(ctx, e); err != nil { // where a crash came between
			return err
		}
	}
	if err := w.takeDecisions(ctx); err != nil {
		return err
	}
	begun := time.Now()
	for _, e := range w.book.due(begun) {
		if err := ctx.Err(); err != nil || time.Since(begun) > maxWork {
			return err
		}
		if err := w.work(ctx, e); err != nil {
			return err
		}
	}
	clear(w.fresh)
	return nil
}

// add puts a line on the disk, then into the book.
func (w *Worker) add(l line) error {
	l.At = time.Now().UTC().Truncate(time.Millisecond)
	if err := w.ledger.Add(l); err != nil {
		return err
	}
	return w.book.fold(l)
}

// tell tells the site one kind of news about a case, once for ever.
func (w *Worker) tell(ctx context.Context, e *entry, k wire.NoticeKind) error {
	if e.has(k) {
		return nil
	}
	if err := w.cfg.Teller.Tell(ctx, e.Agent, e.Ref, k, time.Now()); err != nil {
		return err
	}
	return w.add(line{Rec: e.rec, Step: stepTold, Kind: k})
}

// policy is the one that a visit is scored by. One that names none is not scored
// by the default.
func (w *Worker) policy(named string) (*gpg45.Policy, error) {
	version := cmp.Or(named, "?")
	if p := w.rules[version]; p != nil {
		return p, nil
	}
	p, err := gpg45.Load(version)
	if err != nil {
		return nil, err
	}
	w.rules[version] = p
	return p, nil
}

// Waits between tries.
const (
	firstWait = time.Minute
	longWait  = 6 * time.Hour
	alarmWait = time.Hour
)

// wait puts a case off, for longer each time.
func (w *Worker) wait(e *entry, why proof.Code, d Delay) error {
	back := min(firstWait<<min(e.tries, 10), longWait)
	log := w.log.With("rec", e.rec.String(), "code", string(why), "attempt", e.tries+1)
	if d.Alarm {
		back = max(back, alarmWait)
		log.Error("a case waits until people have looked at the configuration", "err", d.Err)
	} else {
		log.Info("a case waits", "wait", max(back, d.Wait).String(), "err", d.Err)
	}
	next := time.Now().Add(max(back, d.Wait)).UTC()
	return w.add(line{Rec: e.rec, Step: stepWaiting, Why: why, Next: next, Tries: e.tries + 1})
}
