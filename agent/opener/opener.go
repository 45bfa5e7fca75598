// Package opener is the opening zone: the only place with the private keys that
// records are sealed to. It fetches sealed records from the centre in the log's
// order, opens them, checks that what is inside belongs together, scores the
// visit again from its events and shows what came of it.
//
// It never captures, never changes a record, never talks to a counter, and
// never puts the result of a record that is in doubt in the place of another:
// such a record gets no level until people have looked at it.
//
// # The laws
//
//   - Private keys are package vault's. What was sealed to one that was destroyed is
//     erased, which is no defect; a token that is away stops the opener at the
//     record, and says nothing about it.
//   - A bad record never blocks the next: it is noted with its kind, and the
//     cursor goes on.
//   - Every record is shown at least once. Its result is stored, then shown,
//     then the cursor moves; after a crash between them it comes again and is
//     known by its hash, so that no result is stored twice.
//   - A level counts only if the counter's outcome and the opener's own agree
//     and nothing else is found. What differs is shown, both ways.
//   - A record made in training is opened only by a training enrolment, and no
//     other record is.
//   - A centre that came back from a backup counts anew what counters send it
//     again: its log is read from the beginning then, so that none is missed.
//   - A worker knows of a record before the cursor moves past it. Its news is on
//     the own disk before the centre is told, and each is told once.
//   - The files of results and defects, the logs and what is shown unasked hold
//     no personal data. What a record says is hostile: it is bounded, and no
//     text of it reaches a terminal unchecked.
package opener

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/opener/vault"
	"github.com/counterproof/counterproof/agent/opener/watch"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// The files and folders under Config.Dir.
const (
	identityFolder = "identity"
	addressFile    = "centre"
	cursorFile     = "cursor"
	resultFile     = "results.jsonl"
	defectFile     = "defects.jsonl"
	lockFile       = "lock"
)

// maxAddress bounds the file with the centre's address, in bytes.
const maxAddress = 1 << 10

// pollDefault is how long Run waits for new records.
const pollDefault = 10 * time.Second

// Config says what an opener works with. Only Dir is needed.
type Config struct {
	Dir    string        // keys, identity, cursor and results; made if missing
	Policy string        // score again by this policy; the one that a visit names if empty
	Poll   time.Duration // between two looks of Run at the centre; 10 s if 0
	Show   func(Result)  // what Run does with a result; nothing if nil
	Log    *slog.Logger  // silent if nil
	// Confirms judges the files of a chip once more and reports whether they bear
	// out what the counter said of it; nil believes every counter.
	Confirms func(files []byte, said proof.ChipRead) bool
	Token    vault.Token // where keys are on a token; files alone if zero
}

// centre is what the opener asks of the centre; uplink.Client does it.
type centre interface {
	// Enrol spends an invitation.
	Enrol(ctx context.Context, invitation string) (custody.Identity, error)
	// Refresh renews certificate and bundle where that is due.
	Refresh(ctx context.Context) error
	// PutRecipients hands in the public keys.
	PutRecipients(ctx context.Context, recipients []wire.Recipient) error
	// Fetch yields a page of records that follow a place in the log. Their
	// signatures were verified, or the error beside the record says why not.
	Fetch(ctx context.Context, after uint64) iter.Seq2[store.Record, error]
	// PostNews brings the own list of news and the centre's to the same end.
	PostNews(ctx context.Context, own uplink.Outbox) (sent int, err error)
}

// office is what the opener tells the centre's office and its log; uplink.Client
// does it.
type office interface {
	// Flags asks people to look at records; the same again changes nothing.
	Flags(ctx context.Context, flags []wire.Flag) error
	// PostLeaves puts tombstones into the centre's log and returns how many of them
	// it took before err.
	PostLeaves(ctx context.Context, leaves []wire.Leaf) (posted int, err error)
}

// Worker works the cases that opened records make. Its methods are called one at
// a time.
type Worker interface {
	// Take keeps for good that there is a case, before the cursor moves past its
	// record. The same result may come again.
	Take(ctx context.Context, r Result) error
	// Work does what is due. What others fail in is tried again at a later call;
	// an error is about the own disk, or ctx ended.
	Work(ctx context.Context) error
	// Close closes its files. The opener calls it once, last.
	Close() error
}

// Opener opens records. It is for one goroutine, and one process at a time
// works on its folder.
type Opener struct {
	cfg      Config
	log      *slog.Logger
	keeper   *custody.Keeper
	centre   centre
	office   office
	vault    *vault.Vault
	watch    *watch.Watch
	journal  *journal
	lock     io.Closer
	settings settings
	worker   Worker    // nil for none
	news     *news     // nil before the first is told
	level    bool      // the log was compared with the cursor since the start
	later    time.Time // before it the office is left alone
}

// Open opens the opener's folder. It starts nothing and asks the centre
// nothing. The caller closes it.
func Open(cfg Config) (*Opener, error) {
	o, err := open(cfg)
	if err != nil {
		return nil, fmt.Errorf("opening the opener: %w", err)
	}
	return o, nil
}

func open(cfg Config) (*Opener, error) {
	cfg.Poll = cmp.Or(cfg.Poll, pollDefault)
	o := &Opener{cfg: cfg, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))}
	if err := check.Policy(cfg.Policy); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if o.lock, err = lockFolder(filepath.Join(cfg.Dir, lockFile)); err != nil {
		return nil, err
	}
	if err := o.load(); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// load reads what is in the folder.
func (o *Opener) load() (err error) {
	dir := o.cfg.Dir
	if o.settings, err = readSettings(dir); err != nil {
		return err
	}
	if o.keeper, err = custody.Open(filepath.Join(dir, identityFolder)); err != nil {
		return err
	}
	if o.vault, err = vault.Open(vault.Config{Dir: dir, Token: o.cfg.Token}); err != nil {
		return err
	}
	address, err := readSmall(filepath.Join(dir, addressFile), maxAddress)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	client := uplink.New(uplink.Config{Keeper: o.keeper, Address: strings.TrimSpace(string(address)), Log: o.log})
	o.centre, o.office = client, client
	if o.journal, err = openJournal(dir, o.log); err != nil {
		return err
	}
	o.watch, err = watch.Open(dir, o.settings.Pace)
	return err
}

// Close closes the opener's files and lets the folder go.
func (o *Opener) Close() error {
	var errs []error
	if o.worker != nil {
		errs = append(errs, o.worker.Close())
	}
	if o.vault != nil {
		errs = append(errs, o.vault.Close())
	}
	if o.watch != nil {
		errs = append(errs, o.watch.Close())
	}
	return errors.Join(append(errs, o.journal.close(), o.news.close(), o.lock.Close())...)
}

// Confirm has the files of chips judged once more from now on (Config.Confirms).
func (o *Opener) Confirm(confirms func(files []byte, said proof.ChipRead) bool) {
	o.cfg.Confirms = confirms
}

// Use hands the cases to a worker from now on, which is the opener's to close.
func (o *Opener) Use(w Worker) { o.worker = w }

// Folder is where the opener has all that it has.
func (o *Opener) Folder() string { return o.cfg.Dir }

// Training reports whether the opener is enrolled for training, where nothing
// proves anybody. One that is not enrolled is not.
func (o *Opener) Training() (bool, error) {
	identity, enrolled, err := o.keeper.Identity()
	return enrolled && identity.Training, err
}

// errNoKeys tells what to do before anything else.
var errNoKeys = errors.New("keys are missing: make them first, with counterproof-opener keygen")

// Enrol spends an invitation for an opener and hands the public keys to the
// centre, which tells them to its counters. There must be a key for every part:
// a counter that is told no key for a part cannot seal a visit. Doing it again,
// with the same invitation after a failure or with a new one, hands in the keys
// of now.
func (o *Opener) Enrol(ctx context.Context, invitation string) error {
	keys := o.vault.InForce(time.Now())
	if len(keys) < len(vault.Parts()) {
		return errNoKeys
	}
	invite, err := store.ParseInvite(invitation)
	if err != nil {
		return fmt.Errorf("enrolling: %w", &wire.Error{Op: "reading the invitation", Kind: wire.KindCode, Err: err})
	}
	if _, err := o.centre.Enrol(ctx, invitation); err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	if err := replaceFile(filepath.Join(o.cfg.Dir, addressFile), []byte(invite.Address+"\n")); err != nil {
		return fmt.Errorf("keeping the centre's address: %w", err)
	}
	if err := o.centre.PutRecipients(ctx, keys); err != nil {
		return fmt.Errorf("handing in the keys: %w", err)
	}
	return o.vault.Hand(keys, time.Now())
}

// Once fetches, opens and shows all records that the centre holds after the
// cursor, and returns how many there were. A record that cannot be opened is
// shown with its kind like any other. An error is about the centre, with a
// wire.Kind, or about the own disk or token, without one; the record at hand then
// comes again. A record that show was called for before ctx ended comes again too.
func (o *Opener) Once(ctx context.Context, show func(Result)) (n int, err error) {
	identity, enrolled, err := o.keeper.Identity()
	switch {
	case err != nil:
		return 0, err
	case !o.vault.Enough():
		return 0, errNoKeys
	case !enrolled:
		return 0, &wire.Error{Op: "fetching records", Kind: wire.KindNotEnrolled}
	}
	if err := o.centre.Refresh(ctx); err != nil {
		return 0, fmt.Errorf("fetching records: %w", err)
	}
	if err := o.turn(ctx, time.Now()); err != nil {
		return 0, err
	}
	if !o.level {
		if _, err := o.begin(ctx); err != nil {
			return 0, err
		}
		o.level = true
	}
	for {
		page, err := o.page(ctx, identity.Training, show)
		n += page
		if err == nil {
			err = o.work(ctx, identity.Agent)
		}
		if err == nil {
			err = o.report(ctx, identity.Agent, time.Now())
		}
		if err != nil || page == 0 {
			return n, err
		}
	}
}

// work has the worker do what is due, and posts its news. Nothing is added to
// the list of news before the centre's was seen: this disk may have lost some.
func (o *Opener) work(ctx context.Context, self wire.AgentID) (err error) {
	if o.worker == nil {
		return nil
	}
	if o.news == nil {
		if o.news, err = openNews(o.cfg.Dir, self); err != nil {
			return fmt.Errorf("opening the list of news: %w", err)
		}
	}
	for _, step := range []func(context.Context) error{o.post, o.worker.Work, o.post} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// post brings the list of news and the centre's to the same end. An idle opener
// asks once after its start, and again when it has told more.
func (o *Opener) post(ctx context.Context) error {
	if o.news.level && o.news.posted == len(o.news.list) {
		return nil
	}
	if _, err := o.centre.PostNews(ctx, o.news.outbox()); err != nil {
		return fmt.Errorf("telling the news: %w", err)
	}
	o.news.level, o.news.posted = true, len(o.news.list)
	return nil
}

// Tell puts news on the list that the centre is given, once for each counter,
// reference and kind: the same again changes nothing. It is for the worker.
func (o *Opener) Tell(_ context.Context, agent wire.AgentID, ref wire.Ref, kind wire.NoticeKind, at time.Time) error {
	if o.news == nil || !o.news.level {
		return errNotLevel
	}
	if err := o.news.tell(wire.Notice{Agent: agent, Ref: ref, Kind: kind, At: at.UTC().Truncate(time.Millisecond)}); err != nil {
		return fmt.Errorf("keeping news: %w", err)
	}
	return nil
}

// Reopen fetches one record again, by its place in the log, and opens it. An
// error is about the centre; a record that does not open is a Result with a
// Kind.
func (o *Opener) Reopen(ctx context.Context, index uint64) (Result, error) {
	identity, enrolled, err := o.keeper.Identity()
	switch {
	case err != nil:
		return Result{}, err
	case !enrolled:
		return Result{}, &wire.Error{Op: "fetching a record again", Kind: wire.KindNotEnrolled}
	case index == 0:
		return Result{}, errors.New("fetching a record again: no record has the place 0")
	}
	for record, err := range o.centre.Fetch(ctx, index-1) {
		if err != nil && record.Receipt.LogIndex == 0 {
			return Result{}, fmt.Errorf("fetching a record again: %w", err)
		}
		r, err := o.judge(record, err, identity.Training)
		if err != nil {
			return Result{}, fmt.Errorf("opening a record again: %w", err)
		}
		return r, nil
	}
	return Result{}, &wire.Error{Op: "fetching a record again", Kind: wire.KindProtocol, Err: errors.New("the centre has it no more")}
}

// begin begins the log again where the record at the cursor is not the one that
// was taken there: the log is another than the one that the cursor counts.
func (o *Opener) begin(ctx context.Context) (again bool, err error) {
	if o.journal.last.IsZero() {
		return false, nil
	}
	for record, err := range o.centre.Fetch(ctx, o.journal.cursor-1) {
		if err != nil && record.Receipt.LogIndex == 0 {
			return false, fmt.Errorf("comparing the log with the cursor: %w", err)
		}
		if record.Envelope.RecHash() == o.journal.last {
			return false, nil
		}
		break
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	o.log.Error("the centre's log is another than before and is read again from its beginning: was it restored from a backup?")
	if err := o.journal.advance(0, wire.Hash{}); err != nil {
		return false, fmt.Errorf("moving the cursor: %w", err)
	}
	return true, nil
}

// page takes one page of records and returns how many it took. Before the first
// the log is compared with the cursor.
func (o *Opener) page(ctx context.Context, training bool, show func(Result)) (n int, err error) {
	for record, err := range o.centre.Fetch(ctx, o.journal.cursor) {
		if err != nil && record.Receipt.LogIndex == 0 {
			return n, fmt.Errorf("fetching records: %w", err)
		}
		if n == 0 {
			if again, err := o.begin(ctx); err != nil || again {
				return 1, err // so that whoever calls asks for more
			}
		}
		r, err := o.judge(record, err, training)
		if err == nil {
			err = o.take(ctx, r, record, show)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, ctx.Err()
}

// judge opens and checks one record; bad is what the fetching found against it. An
// error is that a token is away, which says nothing about the record.
func (o *Opener) judge(record store.Record, bad error, training bool) (Result, error) {
	r := Result{LogIndex: record.Receipt.LogIndex, RecHash: record.Envelope.RecHash()}
	// A header that reads says whose record it is, also where a part is damaged.
	h, err := wire.DecodeHeader(record.Envelope.Header)
	if err == nil {
		if !record.Erased {
			_, err = record.Envelope.Check()
		}
		r.Agent, r.Seq, r.Ref, r.Training, r.header = h.Agent, h.Seq, h.Record.Ref(), h.Training, h
	}
	switch {
	case bad != nil:
		return r.defective(KindSignature, bad), nil
	case err != nil:
		return r.defective(KindDamaged, err), nil
	case h.Training != training:
		return r.defective(KindTraining, errors.New("the record and this opener are not both in training")), nil
	case record.Erased:
		return r.defective(KindErased, errors.New("the centre erased it")), nil
	}
	visit, r, err := o.open(r, record.Envelope)
	if err != nil || r.Kind != KindNone {
		return r, err
	}
	asked, err := o.asked()
	if err != nil {
		return r, err
	}
	r.Report = check.Visit(visit, check.Opened{
		Header: h, Received: record.Receipt.At, Shut: slices.Concat(r.Shut, r.Erased), Policy: o.cfg.Policy, Confirms: o.cfg.Confirms,
		Grade: record.Origin.Grade, Asked: asked,
	})
	if r.Kind == KindNone {
		r.visit = &visit
	}
	return r, nil
}

// asked is what the centre asks of its counters, by the bundle in force.
func (o *Opener) asked() (wire.Settings, error) {
	id, enrolled, err := o.keeper.Identity()
	if err != nil || !enrolled || len(id.Bundle.Body) == 0 {
		return wire.Settings{}, err
	}
	b, err := id.Bundle.Bundle()
	return b.Settings, err
}

// take stores a result, holds it against the others, shows it and moves the cursor,
// in this order.
func (o *Opener) take(ctx context.Context, r Result, record store.Record, show func(Result)) error {
	r, err := o.journal.note(r)
	if err != nil {
		return fmt.Errorf("storing a result: %w", err)
	}
	if err := o.watch.Take(r.seen(record)); err != nil {
		return fmt.Errorf("holding a record against the others: %w", err)
	}
	o.tell(r)
	if o.worker != nil {
		if err := o.worker.Take(ctx, r); err != nil {
			return fmt.Errorf("handing a case over: %w", err)
		}
	}
	if show != nil {
		show(r)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.journal.advance(r.LogIndex, r.RecHash); err != nil {
		return fmt.Errorf("moving the cursor: %w", err)
	}
	return nil
}

// tell writes what came of a record to the log.
func (o *Opener) tell(r Result) {
	log := o.log.With("agent", string(r.Agent), "seq", uint64(r.Seq), "rec", r.RecHash.String())
	switch {
	case r.Kind != KindNone:
		log.Warn("a record could not be opened", "kind", string(r.Kind), "err", r.Cause)
	case len(r.Findings) > 0:
		log.Warn("a record is held for people to look at", "kind", string(r.Findings[0]), "count", len(r.Findings))
	default:
		log.Info("a record was opened and scored again")
	}
}

// Run looks for records until ctx ends, and returns nil then. What concerns the
// centre, and a token that is away, is logged and tried again; the own disk's failure ends it, and so does
// an opener that is not enrolled.
func (o *Opener) Run(ctx context.Context) error {
	for {
		n, err := o.Once(ctx, o.cfg.Show)
		kind := wire.KindOf(err)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, vault.ErrAway):
			o.log.Warn("the token does not answer", "err", err, "wait", o.cfg.Poll.String())
		case err != nil && (kind == wire.KindNone || kind == wire.KindNotEnrolled):
			return err
		case err != nil:
			o.log.Warn("the centre gave no records", "kind", string(kind), "err", err, "wait", o.cfg.Poll.String())
		case n > 0:
			o.log.Info("records were taken", "count", n)
		}
		timer := time.NewTimer(o.cfg.Poll)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}
