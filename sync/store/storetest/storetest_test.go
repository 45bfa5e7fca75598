package storetest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/storetest"
	"github.com/counterproof/counterproof/sync/wire"
)

// fault is one way in which the store in memory breaks the contract.
type fault string

// The faults.
const (
	sound            fault = ""
	forgets          fault = "forgets what it answered when closed"
	signsAgain       fault = "signs a replay again"
	advancesEarly    fault = "moves the chain before it has signed"
	ignoresGap       fault = "takes numbers ahead"
	overwrites       fault = "takes another record under a taken number"
	ignoresPast      fault = "does not look at Prev"
	noQuarantine     fault = "forgets a fork"
	silentQuarantine fault = "does not answer replays in quarantine"
	ignoresBlobs     fault = "takes records without their parts"
	logsRefusals     fault = "gives refusals a place in the log"
	losesRefusals    fault = "lets a refusal take no place"
	takesStrangers   fault = "takes records of unknown agents"
	takesFormer      fault = "takes records of agents that may not send any more"
	reusesCodes      fault = "lets a code be used twice"
	strandsKey       fault = "refuses the same key the second time"
	beginsAgain      fault = "begins the chain of an enrolled agent again"
	oldCodes         fault = "takes codes that are too old"
	ignoresOffset    fault = "appends at any offset"
	ignoresHash      fault = "does not check a blob's hash"
	sharesHalves     fault = "lets agents share half an upload"
	noLimit          fault = "takes blobs of any size"
	keepsFailed      fault = "keeps a bundle whose change failed"
	skipsRecords     fault = "leaves records out of a page"
	doublesNews      fault = "takes a notice twice"
	signedNewsAgain  fault = "takes a new signature for a new notice"
	overwritesNews   fault = "takes another notice at a taken place"
	ignoresNumbers   fault = "takes any number of a notice"
	newsAhead        fault = "takes notices ahead"
	halfRuns         fault = "keeps half a run of notices"
	newsForAll       fault = "gives a counter the news of all"
	newsOfEnrolled   fault = "takes news for enrolled counters only"
	dropsAcked       fault = "forgets news that was acknowledged"
	acksBackwards    fault = "lets an acknowledgement go back"
	acksAnything     fault = "acknowledges what is not there"
	skipsNews        fault = "leaves notices out of a page"
	runsApart        fault = "keeps half a run of records"
	runsInParallel   fault = "decides about a run as if all came first"
)

// memory is a store in memory that keeps the contract, but for its fault. It
// is the suite's own proof, not a product.
type memory struct {
	mu      sync.Mutex
	fault   fault
	agents  map[wire.AgentID]*store.Agent
	codes   map[wire.Hash]*code
	held    map[wire.AgentID][]held
	log     []store.Record
	whole   map[wire.Hash][]byte
	uploads map[upload][]byte
	bundle  wire.Signed
	news    []posted // of all openers, as they came
	acked   map[wire.AgentID]uint64
	flags   []store.Raised
	tree    tree
}

type (
	code struct {
		store.Code
		usedBy wire.AgentID
	}
	held struct {
		hash   wire.Hash
		answer wire.Answer
	}
	upload struct {
		agent wire.AgentID
		sha   wire.Hash
	}
	posted struct {
		Opener wire.AgentID
		wire.Placed
	}
)

func newMemory(f fault) *memory {
	return &memory{
		fault: f, agents: map[wire.AgentID]*store.Agent{}, codes: map[wire.Hash]*code{},
		held: map[wire.AgentID][]held{}, whole: map[wire.Hash][]byte{}, uploads: map[upload][]byte{},
		acked: map[wire.AgentID]uint64{},
	}
}

// opener keeps one store per folder, as a disk would.
func opener(f fault) storetest.Open {
	var mu sync.Mutex
	disk := map[string]*memory{}
	return func(_ context.Context, dir string) (storetest.Store, error) {
		mu.Lock()
		defer mu.Unlock()
		if disk[dir] == nil || f == forgets {
			disk[dir] = newMemory(f)
		}
		return disk[dir], nil
	}
}

func (m *memory) Close() error { return nil }

// AcceptRun tries a run on a copy first, so that all of it or none is kept.
func (m *memory) AcceptRun(ctx context.Context, run []store.Submission) ([]wire.Answer, error) {
	if m.fault != runsApart {
		if _, err := m.copy().each(ctx, run); err != nil {
			return nil, err
		}
	}
	return m.each(ctx, run)
}

func (m *memory) each(ctx context.Context, run []store.Submission) ([]wire.Answer, error) {
	var answers []wire.Answer
	for _, s := range run {
		if m.fault == runsInParallel {
			s.Header.Seq = run[0].Header.Seq
		}
		a, err := m.Accept(ctx, s)
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// copy is a store that may be spoiled.
func (m *memory) copy() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemory(m.fault)
	for id, a := range m.agents {
		one := *a
		c.agents[id] = &one
	}
	for id, h := range m.held {
		c.held[id] = slices.Clone(h)
	}
	c.log, c.whole, c.uploads = slices.Clone(m.log), maps.Clone(m.whole), maps.Clone(m.uploads)
	return c
}

func (m *memory) Accept(ctx context.Context, s store.Submission) (wire.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.agents[s.Agent]
	if a == nil && m.fault == takesStrangers {
		a = &store.Agent{ID: s.Agent, Expect: 1}
		m.agents[s.Agent] = a
	}
	if a == nil || !s.Of(*a) && m.fault != takesFormer {
		return wire.Answer{Verdict: store.Unknown}, nil
	}
	hash, seq := s.Envelope.RecHash(), s.Header.Seq
	known := seq < a.Expect && m.held[s.Agent][seq-1].hash == hash
	if known && !(a.Quarantined && m.fault == silentQuarantine) {
		return m.replay(s, seq), nil
	}
	switch {
	case a.Quarantined:
		return wire.Answer{Verdict: store.Quarantined}, nil
	case seq < a.Expect && m.fault == overwrites:
		return wire.Answer{Verdict: wire.Stored, Receipt: &wire.Receipt{}}, nil
	case seq < a.Expect, seq == a.Expect && s.Header.Prev != a.Head && m.fault != ignoresPast:
		a.Quarantined = m.fault != noQuarantine
		return wire.Answer{Verdict: wire.Fork}, nil
	case seq > a.Expect && m.fault != ignoresGap:
		return wire.Answer{Verdict: wire.Gap, Expect: a.Expect}, nil
	}
	return m.take(ctx, a, s, hash)
}

func (m *memory) replay(s store.Submission, seq wire.Seq) wire.Answer {
	first := m.held[s.Agent][seq-1].answer
	if m.fault == leafEachTime && first.Receipt != nil {
		m.tree.leaves = append(m.tree.leaves, wire.LeafOf(*first.Receipt))
	}
	if m.fault == signsAgain && first.Receipt != nil {
		if again, err := s.SignReceipt(*first.Receipt); err == nil {
			first.Receipt = &again
		}
	}
	return first
}

func (m *memory) take(ctx context.Context, a *store.Agent, s store.Submission, hash wire.Hash) (wire.Answer, error) {
	if s.Refuse != "" {
		r, err := s.SignRefusal(wire.Refusal{Agent: s.Agent, Seq: s.Header.Seq, RecHash: hash, Reason: s.Refuse, At: s.At})
		if err != nil {
			return wire.Answer{}, err
		}
		answer := wire.Answer{Verdict: wire.Refused, Refusal: &r}
		if m.fault == logsRefusals {
			m.log = append(m.log, store.Record{})
		}
		if m.fault != losesRefusals {
			m.advance(a, hash, answer)
		}
		if m.fault != silentRefusals {
			m.tree.leaves = append(m.tree.leaves, wire.Leaf{
				Kind: wire.LeafRefusal, At: s.At, By: string(s.Agent), Subject: hash, Word: s.Refuse,
			})
		}
		return answer, nil
	}
	var missing []wire.Hash
	parts := make([]wire.Part, len(s.Envelope.Parts))
	for i, p := range s.Envelope.Parts {
		info := s.Header.Parts[i]
		whole, ok := m.whole[info.SHA256]
		if p.Sealed == nil && info.Len > 0 && !ok {
			missing = append(missing, info.SHA256)
		}
		if p.Sealed == nil {
			p.Sealed = whole
		}
		parts[i] = p
	}
	if len(missing) > 0 && m.fault != ignoresBlobs {
		return wire.Answer{Verdict: wire.MissingBlobs, Missing: missing}, nil
	}
	if len(parts) > 0 {
		s.Envelope.Parts = parts
	}
	if m.fault == advancesEarly {
		m.advance(a, hash, wire.Answer{})
	}
	r, err := s.SignReceipt(wire.Receipt{Agent: s.Agent, Seq: s.Header.Seq, RecHash: hash, LogIndex: uint64(len(m.log) + 1), At: s.At})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return wire.Answer{}, err
	}
	origin := store.Origin{Site: a.Site, Public: a.Public, Grade: a.Grade}
	m.log = append(m.log, store.Record{Receipt: r, Origin: origin, Envelope: s.Envelope})
	m.tree.leaves = append(m.tree.leaves, wire.LeafOf(r))
	m.advance(a, hash, wire.Answer{Verdict: wire.Replayed, Receipt: &r})
	return wire.Answer{Verdict: wire.Stored, Receipt: &r}, nil
}

func (m *memory) advance(a *store.Agent, hash wire.Hash, answer wire.Answer) {
	m.held[a.ID] = append(m.held[a.ID], held{hash, answer})
	a.Expect, a.Head = wire.Seq(len(m.held[a.ID])+1), hash
}

func (m *memory) PutBlob(_ context.Context, p store.Piece) (store.Progress, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data, ok := m.whole[p.SHA256]; ok {
		return store.Progress{Offset: int64(len(data)), Complete: true}, nil
	}
	key := m.upload(p.Agent, p.SHA256)
	at := store.Progress{Offset: int64(len(m.uploads[key]))}
	if p.Offset != at.Offset && m.fault != ignoresOffset {
		return at, store.ErrOffset
	}
	if at.Offset+int64(len(p.Data)) > wire.MaxPart && m.fault != noLimit {
		return at, store.ErrTooLarge
	}
	data := append(bytes.Clone(m.uploads[key]), p.Data...)
	m.uploads[key] = data
	at.Offset = int64(len(data))
	if !p.Last {
		return at, nil
	}
	delete(m.uploads, key)
	if wire.Hash(sha256.Sum256(data)) != p.SHA256 && m.fault != ignoresHash {
		return store.Progress{}, store.ErrAltered
	}
	m.whole[p.SHA256] = data
	at.Complete = true
	return at, nil
}

func (m *memory) upload(agent wire.AgentID, sha wire.Hash) upload {
	if m.fault == sharesHalves {
		agent = ""
	}
	return upload{agent, sha}
}

func (m *memory) Blob(_ context.Context, agent wire.AgentID, sha wire.Hash) (store.Progress, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data, ok := m.whole[sha]; ok {
		return store.Progress{Offset: int64(len(data)), Complete: true}, nil
	}
	return store.Progress{Offset: int64(len(m.uploads[m.upload(agent, sha)]))}, nil
}

func (m *memory) Agent(_ context.Context, id wire.AgentID) (store.Agent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.agents[id]; a != nil {
		return *a, nil
	}
	return store.Agent{}, store.ErrUnknown
}

func (m *memory) AddCode(_ context.Context, c store.Code) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.codes[c.Hash] = &code{Code: c}
	return nil
}

func (m *memory) Enrol(_ context.Context, e store.Enrolment) (store.Agent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.codes[e.Code]
	if c == nil || !m.allows(c, e) {
		return store.Agent{}, store.ErrCode
	}
	if c.usedBy != "" && (c.usedBy != e.Agent || m.fault == strandsKey) && m.fault != reusesCodes {
		return store.Agent{}, store.ErrCode
	}
	if old := m.agents[e.Agent]; old != nil && m.fault != beginsAgain {
		return m.enrolled(old, c, e)
	}
	c.usedBy = e.Agent
	a := store.Agent{ID: e.Agent, Site: c.Site, Role: c.Role, Public: e.Public, Grade: e.Grade, Enrolled: e.At, Expect: 1, Invited: c.By}
	if c.Second && m.fault != ignoresSecond {
		a.Status = store.Pending
	}
	m.agents[e.Agent] = &a
	return a, nil
}

func (m *memory) Records(_ context.Context, after uint64, limit int) ([]store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.log[min(after, uint64(len(m.log))):]
	page := rest[:min(limit, len(rest))]
	if m.fault == skipsRecords && len(page) > 1 {
		page = page[1:]
	}
	return page, nil
}

func (m *memory) Bundle(_ context.Context, change func(wire.Signed) (wire.Signed, error)) (wire.Signed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if change == nil {
		return m.bundle, nil
	}
	next, err := change(m.bundle)
	if err == nil || m.fault == keepsFailed {
		m.bundle = next
		if m.fault != silentBundles {
			m.tree.leaves = append(m.tree.leaves, store.BundleLeaf(next))
		}
	}
	return next, err
}

func (m *memory) PostNotices(_ context.Context, p store.Posting) (wire.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, answer := len(m.news), wire.Answer{Verdict: wire.Replayed}
	for _, n := range p.Notices {
		one := m.post(posted{p.Opener, n})
		if one.Verdict == wire.Replayed {
			continue
		}
		if answer = one; one.Verdict != wire.Stored {
			if m.fault != halfRuns {
				m.news = m.news[:before]
			}
			break
		}
	}
	return answer, nil
}

func (m *memory) post(p posted) wire.Answer {
	if m.fault == newsOfEnrolled && m.agents[p.Notice.Agent] == nil {
		return wire.Answer{Verdict: store.Unknown}
	}
	var own []posted
	number := uint64(1)
	for _, held := range m.news {
		if held.Opener == p.Opener {
			own = append(own, held)
			if held.Notice.Agent == p.Notice.Agent {
				number++
			}
		}
	}
	next := uint64(len(own) + 1)
	if p.N < next && m.fault != doublesNews {
		held := own[p.N-1].Notice
		same := held.Hash() == p.Notice.Hash()
		if m.fault == signedNewsAgain {
			same = same && bytes.Equal(held.Sig, p.Notice.Sig)
		}
		if same || m.fault == overwritesNews {
			return wire.Answer{Verdict: wire.Replayed}
		}
		return wire.Answer{Verdict: wire.Fork}
	}
	switch {
	case p.N > next && m.fault != newsAhead:
		return wire.Answer{Verdict: wire.Gap, Expect: wire.Seq(next)}
	case p.Notice.Number != number && m.fault != ignoresNumbers && m.fault != newsAhead && m.fault != doublesNews:
		return wire.Answer{Verdict: wire.Fork}
	}
	m.news = append(m.news, p)
	return wire.Answer{Verdict: wire.Stored}
}

// newsPage is a page of those that belong to a list.
func (m *memory) newsPage(after uint64, limit int, belongs func(posted) bool) wire.NoticePage {
	var all []wire.Placed
	for _, p := range m.news {
		if belongs(p) {
			all = append(all, wire.Placed{N: uint64(len(all) + 1), Notice: p.Notice})
		}
	}
	rest := all[min(after, uint64(len(all))):]
	page := rest[:min(limit, len(rest))]
	if m.fault == skipsNews && len(page) > 1 {
		page = page[1:]
	}
	return wire.NoticePage{Notices: page, Last: uint64(len(all))}
}

func (m *memory) NoticesBy(_ context.Context, opener wire.AgentID, after uint64, limit int) (wire.NoticePage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newsPage(after, limit, func(p posted) bool { return p.Opener == opener }), nil
}

func (m *memory) NoticesFor(_ context.Context, agent wire.AgentID, after uint64, limit int) (wire.NoticePage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	page := m.newsPage(after, limit, func(p posted) bool { return p.Notice.Agent == agent || m.fault == newsForAll })
	page.Acked = m.acked[agent]
	if m.fault == dropsAcked && after < page.Acked {
		page.Notices = nil
	}
	return page, nil
}

func (m *memory) AckNotices(_ context.Context, agent wire.AgentID, n uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.newsPage(0, 0, func(p posted) bool { return p.Notice.Agent == agent }).Last
	if n > last && m.fault != acksAnything {
		return store.ErrPlace
	}
	if n > m.acked[agent] || m.fault == acksBackwards {
		m.acked[agent] = n
	}
	return nil
}

// TestSoundStore shows that the contract can be kept.
func TestSoundStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, opener(sound))
}

// TestFaultsAreSeen is the suite's negative control: each fault breaks the
// rule that names it.
func TestFaultsAreSeen(t *testing.T) {
	t.Parallel()
	broken := map[fault]string{
		forgets:          "accept/survives-reopening",
		signsAgain:       "accept/stored-then-replayed",
		advancesEarly:    "accept/crash-inside",
		ignoresGap:       "accept/gap",
		overwrites:       "accept/fork-other-record",
		ignoresPast:      "accept/fork-other-past",
		noQuarantine:     "accept/quarantine-lasts",
		silentQuarantine: "accept/quarantine-lasts",
		ignoresBlobs:     "accept/missing-blobs",
		logsRefusals:     "accept/refused-takes-its-place",
		losesRefusals:    "accept/refused-takes-its-place",
		takesStrangers:   "accept/unknown-agent",
		takesFormer:      "accept/former-agents",
		reusesCodes:      "code/single-use",
		strandsKey:       "code/same-key-again",
		beginsAgain:      "code/enrolled-again",
		oldCodes:         "code/too-old",
		ignoresOffset:    "blob/wrong-offset",
		ignoresHash:      "blob/altered",
		sharesHalves:     "blob/not-spoiled-by-others",
		noLimit:          "blob/too-large",
		keepsFailed:      "bundle/failed-change",
		skipsRecords:     "records/cursor",
		doublesNews:      "notice/posted-twice",
		signedNewsAgain:  "notice/posted-twice",
		overwritesNews:   "notice/fork-other-notice",
		ignoresNumbers:   "notice/fork-other-number",
		newsAhead:        "notice/gap",
		halfRuns:         "notice/all-or-none",
		newsForAll:       "notice/both-lists",
		newsOfEnrolled:   "notice/not-enrolled-counter",
		dropsAcked:       "notice/acknowledged",
		acksBackwards:    "notice/acknowledged",
		acksAnything:     "notice/acknowledged",
		skipsNews:        "notice/pages",
		runsApart:        "accept/run-all-or-none",
		runsInParallel:   "accept/run",
	}
	maps.Copy(broken, officeFaults)
	maps.Copy(broken, logFaults)
	rules := map[string]storetest.Rule{}
	for _, r := range storetest.Rules() {
		rules[r.Name] = r
	}
	for f, name := range broken {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			rule, ok := rules[name]
			if !ok {
				t.Fatalf("there is no rule %s", name)
			}
			err := rule.Check(t.Context(), t.TempDir(), opener(f))
			if err == nil {
				t.Errorf("a store that %s keeps %s", f, name)
			}
		})
	}
}

// TestRuleNames keeps the names apart, since a broken one is found by them.
func TestRuleNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range storetest.Rules() {
		if seen[r.Name] {
			t.Errorf("two rules are named %s", r.Name)
		}
		seen[r.Name] = true
	}
	if len(seen) == 0 {
		t.Error("there are no rules")
	}
}
