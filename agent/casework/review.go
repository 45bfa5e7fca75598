package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// Held is a case that people look at, or one that they may decide about.
type Held struct {
	Ref   wire.Ref
	Agent wire.AgentID
	Codes []proof.Code // why, for those who look alone
	Since time.Time
}

// Decision is what people decided about a case. It is left in the folder, for
// whoever works there to take up.
type Decision struct {
	Ref   wire.Ref        `json:"ref"`
	Agent wire.AgentID    `json:"agent,omitempty"` // "" where the reference says enough
	Kind  wire.NoticeKind `json:"kind"`
	By    string          `json:"by,omitempty"` // an id of staff
}

// Decisions lists the kinds that people decide.
func Decisions() []wire.NoticeKind {
	kinds := []wire.NoticeKind{wire.NoticeReviewPassed, wire.NoticeReviewFailed, wire.NoticeVouchWithdrawn}
	return append(kinds, slices.Sorted(maps.Keys(proxySteps))...)
}

// proxySteps are the later states of a request for proxy access, each with those
// that it may follow (DAPB3051, proxy use case). A clinician decides.
var proxySteps = map[wire.NoticeKind][]wire.NoticeKind{
	wire.NoticeProxyGranted:   {wire.NoticeProxySubmitted},
	wire.NoticeProxyRefused:   {wire.NoticeProxySubmitted},
	wire.NoticeProxySuspended: {wire.NoticeProxyGranted},
	wire.NoticeProxyEnded:     {wire.NoticeProxyGranted, wire.NoticeProxySuspended},
	wire.NoticeProxyWithdrawn: {wire.NoticeProxySubmitted, wire.NoticeProxyGranted, wire.NoticeProxySuspended},
}

// Reviews lists the cases that people look at, the oldest first. It reads the folder
// beside whoever works there.
func Reviews(dir string) ([]Held, error) {
	b := newBook()
	key, err := ledger.Key(dir)
	if err == nil {
		defer clear(key)
		err = ledger.Read(dir, key, b.read)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listing the reviews: %w", err)
	}
	var held []Held
	for _, e := range b.order {
		if e.stage == stageReview {
			held = append(held, Held{e.Ref, e.Agent, e.review, e.since})
		}
	}
	return held, nil
}

// staff are the signs of an id of staff.
const staff = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// check refuses a decision that nobody can take.
func (d Decision) check() error {
	ref, err := wire.ParseRef(string(d.Ref))
	switch {
	case err != nil || ref != d.Ref:
		return errors.New("the reference is none")
	case !slices.Contains(Decisions(), d.Kind):
		return fmt.Errorf("%.40q is not for people to decide", d.Kind)
	case len(d.By) > 40 || strings.Trim(d.By, staff) != "":
		return errors.New("an id of staff is up to 40 letters, digits, dots, hyphens and underscores")
	case len(d.Agent) > wire.MaxName || strings.Trim(string(d.Agent), staff) != "":
		return errors.New("the counter's name is none")
	}
	return nil
}

// Decide leaves a decision in a folder. Whoever works there takes it up with the
// next look; what does not fit the case then is dropped and logged.
func Decide(dir string, d Decision) error {
	if err := d.check(); err != nil {
		return fmt.Errorf("leaving a decision: %w", err)
	}
	text, err := json.Marshal(d)
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, rulingFolder), 0o700)
	}
	if err == nil {
		err = ledger.Replace(filepath.Join(dir, rulingFolder, fmt.Sprintf("%s-%s-%s.json", d.Ref, d.Kind, d.Agent)), text)
	}
	if err != nil {
		return fmt.Errorf("leaving a decision: %w", err)
	}
	return nil
}

// takeDecisions takes up what people left in the folder.
func (w *Worker) takeDecisions(ctx context.Context) error {
	folder := filepath.Join(w.cfg.Dir, rulingFolder)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("reading decisions: %w", err)
	}
	for _, file := range entries {
		if !strings.HasSuffix(file.Name(), ".json") || strings.HasPrefix(file.Name(), ".") {
			continue
		}
		path := filepath.Join(folder, file.Name())
		d, err := readDecision(path)
		if err == nil {
			err = w.apply(ctx, d)
		}
		switch {
		case errors.Is(err, errNoRead):
			w.log.Error("a decision cannot be read and stays where it is: give it to the user that the opener runs as", "path", file.Name(), "err", err)
			continue
		case errors.Is(err, errNoFit):
			w.log.Warn("a decision fits no case and is dropped", "path", file.Name(), "err", err)
		case err != nil:
			return err
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("removing a decision: %w", err)
		}
	}
	return nil
}

// Why a decision is not taken up.
var (
	errNoFit  = errors.New("it does not fit") // it is about nothing that can be decided now
	errNoRead = errors.New("it cannot be read")
)

// maxDecision bounds a decision's file, in bytes.
const maxDecision = 4 << 10

// readDecision reads a decision. Whoever may write to the folder may write
// anything.
func readDecision(path string) (Decision, error) {
	text, err := ledger.ReadSmall(path, maxDecision)
	if _, disk := errors.AsType[*os.PathError](err); disk {
		return Decision{}, fmt.Errorf("%w: %w", errNoRead, err)
	}
	if err != nil {
		return Decision{}, fmt.Errorf("%w: %w", errNoFit, err)
	}
	return parseDecision(text)
}

func parseDecision(text []byte) (Decision, error) {
	var d Decision
	err := json.Unmarshal(text, &d)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Decision{}, fmt.Errorf("%w: %w", errNoFit, err)
	}
	return d, nil
}

// apply applies a decision to the one case that it fits.
func (w *Worker) apply(ctx context.Context, d Decision) error {
	fits := func(e *entry) bool {
		switch d.Kind {
		case wire.NoticeReviewPassed, wire.NoticeReviewFailed:
			return e.stage == stageReview
		case wire.NoticeVouchWithdrawn:
			// A voucher need not wait until the case was looked at.
			return (e.vouch || !e.listed) && !e.withdrawn && !e.failed && !e.Damaged && !e.Nothing
		}
		return slices.Contains(proxySteps[d.Kind], e.proxy())
	}
	found := slices.DeleteFunc(w.book.find(d.Ref, d.Agent), func(e *entry) bool { return !fits(e) })
	if len(found) != 1 {
		return fmt.Errorf("%w: %d cases", errNoFit, len(found))
	}
	e := found[0]
	step, decides := map[wire.NoticeKind]step{
		wire.NoticeReviewPassed: stepPassed, wire.NoticeReviewFailed: stepFailed, wire.NoticeVouchWithdrawn: stepWithdrawn,
	}[d.Kind]
	if decides {
		return w.add(line{Rec: e.rec, Step: step, By: d.By})
	}
	if err := w.cfg.Teller.Tell(ctx, e.Agent, e.Ref, d.Kind, time.Now()); err != nil {
		return err
	}
	return w.add(line{Rec: e.rec, Step: stepTold, Kind: d.Kind, By: d.By})
}
