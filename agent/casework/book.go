package casework

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// step says what a line of the ledger tells. Add only at the end: files of the
// past speak these words.
type step string

// The steps.
const (
	stepTaken     step = "taken"     // there is a case
	stepListed    step = "listed"    // its tags are on the limit list, with what that found
	stepReview    step = "review"    // people look at it first
	stepPassed    step = "passed"    // they let it pass
	stepFailed    step = "failed"    // they did not
	stepWithdrawn step = "withdrawn" // its vouches were taken back, so that it and all that it was joined to is decided anew
	stepDecided   step = "decided"   // its final levels, and the news that follows from them
	stepTold      step = "told"      // one kind of news
	stepWaiting   step = "waiting"   // until something answers
	stepClaimed   step = "claimed"   // its claim token was used, by another case
	stepReleased  step = "released"  // that came to nothing: the token may be used again
	stepAccount   step = "account"   // what its account came to
	stepWishes    step = "wishes"    // the wishes were passed on
	stepLetter    step = "letter"    // the letter is written
	stepClosed    step = "closed"    // nothing more is to be done
)

// line is one line of the ledger. It names nobody: cases go by hashes and
// references, people and documents by keyed tags. The keys are the file's form.
type line struct {
	At   time.Time `json:"at"`
	Rec  wire.Hash `json:"rec"`
	Step step      `json:"step"`

	Taken  *taken          `json:"taken,omitempty"`
	Visit  *limit.Visit    `json:"visit,omitempty"`
	Codes  []proof.Code    `json:"codes,omitempty"`
	Silent bool            `json:"silent,omitempty"` // the counter hears nothing of the review
	Digest string          `json:"digest,omitempty"` // of a claim token
	Until  proof.Date      `json:"until,omitzero"`
	Ruling *ruling         `json:"ruling,omitempty"`
	Kind   wire.NoticeKind `json:"kind,omitempty"`
	Next   time.Time       `json:"next,omitzero"`
	Tries  int             `json:"tries,omitempty"`
	Why    proof.Code      `json:"why,omitempty"`
	By     string          `json:"by,omitempty"`    // who decided, by an id of staff
	Other  *wire.Hash      `json:"other,omitempty"` // another case
}

// taken is what is known of a case from its record's outside.
type taken struct {
	Agent    wire.AgentID `json:"agent"`
	Ref      wire.Ref     `json:"ref"`
	Index    uint64       `json:"index"` // place in the centre's log
	Damaged  bool         `json:"damaged,omitempty"`
	Findings []proof.Code `json:"findings,omitempty"`
	Nothing  bool         `json:"nothing,omitempty"` // an abandoned visit
}

// ruling is what a case came to.
type ruling struct {
	Level   proof.Level       `json:"level"`
	NHS     proof.NHSLevel    `json:"nhs"`
	News    []wire.NoticeKind `json:"news,omitempty"`    // to be told, in this order
	Account bool              `json:"account,omitempty"` // one is to be made
	Wishes  bool              `json:"wishes,omitempty"`  // they are to be passed on
	Review  []proof.Code      `json:"review,omitempty"`  // silently, when all is told
	Joined  []wire.Hash       `json:"joined,omitempty"`  // the earlier cases that count in it
}

// stage says whether anything is to be done about a case.
type stage string

// The stages.
const (
	stageDue    stage = "due"
	stageReview stage = "review"
	stageClosed stage = "closed"
)

// entry is a case as its lines tell it.
type entry struct {
	taken
	rec   wire.Hash
	stage stage
	since time.Time // when it was taken
	next  time.Time // when it is due
	tries int       // since it last came forward

	listed bool
	person limit.Tag    // of the patient
	vouch  bool         // somebody vouched in it
	codes  []proof.Code // that the limit list found
	digest string
	until  proof.Date
	usedBy wire.Hash // the case that used the token, zero for none

	review    []proof.Code // why people look, or looked
	silent    bool         // and the site does not hear of it
	passed    bool
	cleared   []proof.Code // all that people let pass
	failed    bool
	withdrawn bool
	lapsed    bool // the vouches of a case that was joined to it were
	ruling    *ruling
	ruled     time.Time   // when that was
	gave      proof.Level // of the last ruling, which may be gone
	told      []wire.NoticeKind
	done      []step // of account, wishes and letter
}

// has reports whether a kind of news was told.
func (e *entry) has(k wire.NoticeKind) bool { return slices.Contains(e.told, k) }

// takenBack reports that a vouch which counted was taken back.
func (e *entry) takenBack() bool { return e.withdrawn && e.vouch || e.lapsed }

// did reports whether a task is done.
func (e *entry) did(s step) bool { return slices.Contains(e.done, s) }

// proxy is the last that was told of a request for proxy access, "" for nothing.
func (e *entry) proxy() wire.NoticeKind {
	for _, k := range slices.Backward(e.told) {
		if _, later := proxySteps[k]; later || k == wire.NoticeProxySubmitted {
			return k
		}
	}
	return ""
}

// nobody reports that the visits of a reference held nobody, as of a patient who
// forgot everything: there is nothing to join, and nothing that was not joined.
func (b *book) nobody(ref wire.Ref) bool {
	known := func(e *entry) bool { return e.person != "" || !e.listed || e.Damaged }
	return len(b.refs[ref]) > 0 && !slices.ContainsFunc(b.refs[ref], known)
}

// gives reports whether the claim token is good for an account, as the case was
// last decided.
func (e *entry) gives() bool {
	return e.ruling != nil && slices.Contains(e.ruling.News, wire.NoticeClaimReady) && !e.failed
}

// unseen are the codes that people have not let pass. What they passed for one
// reason they have not passed for another that comes to light later.
func (e *entry) unseen(codes ...proof.Code) []proof.Code {
	return slices.DeleteFunc(codes, func(c proof.Code) bool { return slices.Contains(e.cleared, c) })
}

// book is all cases, folded from the ledger. It is for one goroutine.
type book struct {
	cases  map[wire.Hash]*entry
	order  []*entry // as they came
	refs   map[wire.Ref][]*entry
	tokens map[string]*entry // by the digest; the first case with it has it
	limits *limit.List
}

func newBook() *book {
	return &book{
		cases: map[wire.Hash]*entry{}, refs: map[wire.Ref][]*entry{}, tokens: map[string]*entry{}, limits: limit.NewList(),
	}
}

// read takes in one line of the ledger.
func (b *book) read(text []byte) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("a line of the ledger is of a later version: %w", err)
	}
	return b.fold(l)
}

// fold takes in one line. A line about no case that was taken is none of ours.
func (b *book) fold(l line) error {
	if l.Step == stepTaken && l.Taken != nil && b.cases[l.Rec] == nil {
		b.take(l)
		return nil
	}
	e := b.cases[l.Rec]
	if e == nil {
		return errors.New("a line of the ledger is about no case")
	}
	e.fold(l)
	if l.Step == stepWithdrawn {
		b.lapse(l)
	}
	if l.Step == stepListed {
		if l.Visit != nil {
			b.limits.Add(*l.Visit)
		}
		if l.Digest != "" && b.tokens[l.Digest] == nil {
			b.tokens[l.Digest] = e
		}
	}
	return nil
}

// lapse makes the cases due once more in which a vouch counts that was taken back.
// It follows from that one line, so that no crash comes between.
func (b *book) lapse(l line) {
	for _, e := range b.order {
		if e.ruling != nil && slices.Contains(e.ruling.Joined, l.Rec) {
			e.again(l)
			e.lapsed = true
		}
	}
}

// take begins a case.
func (b *book) take(l line) {
	e := &entry{taken: *l.Taken, rec: l.Rec, stage: stageDue, since: l.At, next: l.At}
	if e.Nothing {
		e.stage = stageClosed
	}
	b.cases[l.Rec] = e
	b.order = append(b.order, e)
	b.refs[e.Ref] = append(b.refs[e.Ref], e)
}

// fold takes in one line about the case.
func (e *entry) fold(l line) {
	switch l.Step {
	case stepTaken:
		if l.Taken != nil {
			e.Index = l.Taken.Index // the centre was restored
		}
	case stepListed:
		e.listed, e.codes, e.digest, e.until = true, l.Codes, l.Digest, l.Until
		if l.Visit != nil {
			e.person, e.vouch = l.Visit.Person, len(l.Visit.Vouchers) > 0
		}
	case stepReview:
		e.stage, e.review, e.silent = stageReview, l.Codes, l.Silent
	case stepPassed:
		e.again(l)
		e.passed, e.cleared = true, append(e.cleared, e.review...)
	case stepFailed:
		e.again(l)
		e.failed = true
	case stepWithdrawn:
		e.again(l)
		e.withdrawn = true
	case stepDecided:
		e.ruling, e.ruled, e.tries = l.Ruling, l.At, 0
		if l.Ruling != nil {
			e.gave = l.Ruling.Level
		}
	default:
		e.goOn(l)
	}
}

// goOn takes in a line about a case after it was decided.
func (e *entry) goOn(l line) {
	switch l.Step {
	case stepTold:
		e.told = append(e.told, l.Kind)
		if _, proxy := proxySteps[l.Kind]; proxy && e.stage == stageClosed { // the letter is to tell it
			ruling := e.ruling
			e.again(l)
			e.ruling = ruling
		}
	case stepWaiting:
		e.next, e.tries = l.Next, l.Tries
	case stepClaimed:
		if l.Other != nil {
			e.usedBy = *l.Other
		}
	case stepReleased:
		e.usedBy = wire.Hash{}
	case stepAccount, stepWishes, stepLetter:
		e.done, e.tries = append(e.done, l.Step), 0
	case stepClosed:
		e.stage = stageClosed
	}
}

// again makes a case due once more, to be decided anew. An account stays as it
// is, and the letter is written again.
func (e *entry) again(l line) {
	e.stage, e.next, e.tries, e.ruling = stageDue, l.At, 0, nil
	e.done = slices.DeleteFunc(slices.Clone(e.done), func(s step) bool { return s == stepLetter })
}

// due lists the cases that are to be worked now: who waits longest first, else in
// the order of the log.
func (b *book) due(now time.Time) []*entry {
	var out []*entry
	for _, e := range b.order {
		if e.stage == stageDue && !now.Before(e.next) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, c *entry) int { return cmp.Or(a.next.Compare(c.next), cmp.Compare(a.Index, c.Index)) })
	return out
}

// find lists the cases with a reference, of one counter if that is given.
func (b *book) find(ref wire.Ref, agent wire.AgentID) []*entry {
	return slices.DeleteFunc(slices.Clone(b.refs[ref]), func(e *entry) bool { return agent != "" && e.Agent != agent })
}
