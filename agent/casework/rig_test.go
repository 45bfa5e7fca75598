package casework

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

func day(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }

func person(surname, given string, birth proof.Date) proof.Person {
	return proof.Person{Surname: proof.NewName(surname), Given: proof.NewName(given), Birth: birth}
}

// The invented people of these cases; the simulator's table knows them.
var (
	morgan    = person("SPECIMEN", "MORGAN WREN", day(1985, 3, 12))
	wren      = person("SPECIMEN", "WREN", day(1985, 3, 12))
	tal       = person("VAUGHN", "TAL", day(1979, 6, 2))
	stolen    = person("LINDGREEN", "ASA", day(1971, 10, 30))
	deceased  = person("MARLOWE", "QUILL", day(1938, 1, 19))
	hidden    = person("THORNE", "ISKA", day(1988, 12, 1))
	withdrawn = person("BARROW", "JUN", day(1959, 9, 9))
	unknown   = person("ASHGROVE", "LIV", day(1994, 2, 14)) // no NHS record
	weir      = person("WEIR", "AILSA", day(1954, 6, 14))
	pike      = person("PIKE", "ROAN", day(1982, 8, 8))
)

// secrets are words of these people that no file but a letter and no log line
// may hold.
var secrets = []string{"SPECIMEN", "MORGAN", "WREN", "VAUGHN", "WEIR", "1985-03", "U1234567", "99920", "9686368450", "YCRPy", "@example", "447700"}

// digests are hashes, tags and keys in hexadecimal.
var digests = regexp.MustCompile(`[0-9a-f]{32,}`)

var (
	trained   = proof.Training{Impostor: day(2026, 3, 1), Document: day(2025, 1, 10), UVIR: day(2026, 5, 1)}
	contact   = &proof.PreferencesGiven{Email: "wren@example.org", Mobile: "+447700900123"}
	begun     = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	firstCode = claim.New([10]byte{1, 2, 3})
)

// loadDefault loads the default policy, once for all tests.
var loadDefault = sync.OnceValues(func() (*gpg45.Policy, error) { return gpg45.Load(gpg45.Default) })

func loadPolicy(t testing.TB) *gpg45.Policy {
	t.Helper()
	p, err := loadDefault()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// golden reads the facts of a golden visit, without its result.
func golden(t testing.TB, name string) []proof.Event {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "route", "testdata", "logs", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []proof.Event
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e proof.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	if _, decided := events[len(events)-1].Fact.(proof.VisitDecided); decided {
		events = events[:len(events)-1]
	}
	return events
}

// card is a visit in which a person shows a photo card to a clerk who examines it
// under ultraviolet light, if lit: it comes to medium then, and to low if not.
func card(t testing.TB, p proof.Person, number string, lit bool) []proof.Event {
	t.Helper()
	exam := proof.DocumentExamined{Original: true, Details: proof.Agree, Features: loadPolicy(t).Features("eu_dl"), Trained: trained}
	if lit {
		exam.UVIR, exam.Templates = true, day(2026, 6, 1)
	}
	return events(
		proof.VisitStarted{Case: "case0001", Route: proof.AnyEvidence, Training: true, Operator: trained},
		proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true},
		proof.EvidenceChosen{Type: "eu_dl", Form: proof.ByField, Photo: true},
		proof.EvidenceEntered{Source: proof.FromKeys, Person: p, Number: number, Issuer: "IRL", Issued: day(2022, 1, 5), Expires: day(2031, 1, 4)},
		exam,
		proof.ConsentAnswered{Purpose: proof.ForFace},
		proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson, Trained: trained},
	)
}

// events numbers facts of one clerk.
func events(facts ...proof.Fact) []proof.Event {
	var out []proof.Event
	for i, f := range facts {
		out = append(out, proof.Event{Seq: i + 1, By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Fact: f})
	}
	return out
}

// visit is how a counter makes one record.
type visit struct {
	events    []proof.Event // up to the decision
	who       proof.Person  // stands in the place of the golden visit's patient, if it claims one
	prefs     *proof.PreferencesGiven
	site      string
	agent     wire.AgentID
	continues wire.Ref
	days      int // after the first
	token     claim.Token
	name      byte // of the record; the next free one if 0
	findings  []proof.Code
	damaged   bool
	edit      func(proof.Fact) proof.Fact
}

// change puts a person in the place of the golden patient.
func (v visit) change(f proof.Fact) proof.Fact {
	if v.edit != nil {
		f = v.edit(f)
	}
	if v.who == (proof.Person{}) {
		return f
	}
	switch f := f.(type) {
	case proof.IdentityClaimed:
		f.Person = v.who
		return f
	case proof.EvidenceEntered:
		f.Person = v.who
		return f
	}
	return f
}

// make finishes the visit as the desk does and packs it.
func (v visit) make(t testing.TB, id wire.RecordID) []packet.Part {
	t.Helper()
	var out []proof.Event
	at := begun.AddDate(0, 0, v.days)
	add := func(by proof.Actor, f proof.Fact) {
		out = append(out, proof.Event{Seq: len(out) + 1, At: at.Add(time.Duration(len(out)) * time.Minute), By: by, Fact: f})
	}
	clerk := proof.Actor{Kind: proof.ByPerson, ID: "robin"}
	for _, e := range v.events {
		if f, begins := e.Fact.(proof.VisitStarted); begins {
			f.Record, f.Policy, f.Site, f.Continues = id.String(), gpg45.Default, v.site, proof.Ref(v.continues)
			e.Fact = f
		}
		add(e.By, v.change(e.Fact))
	}
	outcome := verdict.Decide(route.Fold(out), loadPolicy(t))
	add(clerk, proof.VisitDecided{Outcome: outcome})
	if v.prefs != nil {
		add(clerk, *v.prefs)
	}
	add(clerk, proof.ResultConfirmed{})
	if asks := route.Asks(route.Fold(out)); v.token != "" && len(asks) > 0 && asks[0].Kind == proof.MakeClaim {
		add(clerk, proof.ClaimMade{Token: string(v.token), Until: claim.Until(route.Today(at))})
	}
	parts, err := packet.Build(route.Fold(out), out, func(proof.PictureID) ([]byte, error) { return []byte("jpeg"), nil })
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// rig is a worker with a centre in memory and the outside world simulated.
type rig struct {
	t       testing.TB
	dir     string
	sim     *source.Simulator
	records *fakeRecords
	logins  *fakeAccounts
	archive *fakeCentre
	log     bytes.Buffer
	cfg     Config
	w       *Worker
}

// newRig makes a rig in a bubble of synctest; its clock is set to the visits'.
func newRig(t testing.TB) *rig {
	t.Helper()
	time.Sleep(time.Until(begun.Add(time.Hour)))
	sim, err := source.NewSimulator(source.Table{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: t.TempDir(), sim: sim, archive: &fakeCentre{told: map[wire.Ref][]wire.NoticeKind{}}}
	r.records = &fakeRecords{people: sim.Table().People, live: map[nhs.Number]bool{}}
	r.logins = &fakeAccounts{made: map[nhs.Number]Account{}}
	r.cfg = Config{
		Dir: r.dir, Archive: r.archive, Teller: r.archive, Sites: map[string]string{"PO123": "FWC87"},
		Services: Services{
			Sources: sim.Sources(), Practice: sim.Practice(), Records: r.records, Accounts: r.logins, Contacts: sim, Wishes: sim,
		},
		Log: slog.New(slog.NewJSONHandler(&r.log, nil)),
	}
	r.open()
	return r
}

// open opens the worker as a new process would.
func (r *rig) open() {
	r.t.Helper()
	if r.w != nil {
		_ = r.w.Close()
	}
	var err error
	if r.w, err = Open(r.cfg); err != nil {
		r.t.Fatal(err)
	}
	// Tests need no disk that outlives a power cut.
	r.w.ledger.Write = func(text, mark []byte) error {
		if err := appendFile(r.path("ledger.jsonl"), text); err != nil {
			return err
		}
		return os.WriteFile(r.path("ledger.mark"), mark, 0o600)
	}
}

// appendFile adds bytes to a file.
func appendFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// send seals nothing, but packs a visit, gives it to the centre and the worker,
// and returns its reference.
func (r *rig) send(v visit) wire.Ref {
	r.t.Helper()
	if err := r.w.Take(r.archive.add(r.t, v)); err != nil {
		r.t.Fatal(err)
	}
	return r.archive.records[len(r.archive.records)-1].opened.Ref
}

// work works what is due now.
func (r *rig) work() {
	r.t.Helper()
	if err := r.w.Work(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// settle works until nothing is due for a week.
func (r *rig) settle() {
	r.t.Helper()
	for range 100 {
		r.work()
		next := r.w.next()
		if next.IsZero() || time.Until(next) > 7*24*time.Hour {
			return
		}
		time.Sleep(time.Until(next))
	}
	r.t.Fatal("the cases do not settle")
}

// next is when a case is due that waits, the zero time for none.
func (w *Worker) next() time.Time {
	var next time.Time
	for _, e := range w.book.order {
		if e.stage == stageDue && (next.IsZero() || e.next.Before(next)) {
			next = e.next
		}
	}
	return next
}

// decide leaves a decision and works it.
func (r *rig) decide(ref wire.Ref, kind wire.NoticeKind) {
	r.t.Helper()
	if err := Decide(r.dir, Decision{Ref: ref, Kind: kind, By: "lead.1"}); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

// expect compares what the site was told of a visit.
func (r *rig) expect(ref wire.Ref, want ...wire.NoticeKind) {
	r.t.Helper()
	if got := r.archive.told[ref]; !slices.Equal(got, want) {
		r.t.Errorf("the site was told %v, want %v", got, want)
	}
}

// entry is the one case of a reference.
func (r *rig) entry(ref wire.Ref) *entry {
	r.t.Helper()
	if len(r.w.book.refs[ref]) != 1 {
		r.t.Fatalf("%d cases have the reference", len(r.w.book.refs[ref]))
	}
	return r.w.book.refs[ref][0]
}

// letterOf reads a letter, "" for none.
func (r *rig) letterOf(ref wire.Ref) string {
	r.t.Helper()
	path := filepath.Join(r.dir, letterFolder, string(ref)+".pdf")
	fi, err := os.Stat(path)
	if err != nil {
		return ""
	}
	if fi.Mode().Perm() != 0o600 {
		r.t.Errorf("the letter may be read by others: %v", fi.Mode())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// nameNobody searches the log and all files but the letters for people.
func (r *rig) nameNobody() {
	r.t.Helper()
	texts := map[string]string{"the log": r.log.String()}
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".pdf" {
			return err
		}
		b, err := os.ReadFile(path)
		texts[filepath.Base(path)] = string(b)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	for where, text := range texts {
		text = digests.ReplaceAllString(text, "") // whose digits may look like any number
		for _, secret := range secrets {
			if strings.Contains(text, secret) || strings.Contains(where, secret) {
				r.t.Errorf("%s tells %s", where, secret)
			}
		}
	}
}

// bubble runs a test in a bubble with a rig, beside others.
func bubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	runBubble(t, f)
}

// runBubble runs a test in a bubble with a rig.
func runBubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		f(t, r)
		r.nameNobody()
		_ = r.w.Close()
	})
}

// stored is a record at the centre.
type stored struct {
	opened Opened
	parts  []packet.Part
}

// fakeCentre is a centre in memory: it gives records again, and takes news.
type fakeCentre struct {
	records []stored
	away    bool
	fetched int
	told    map[wire.Ref][]wire.NoticeKind
	calls   int // of Tell, those that changed nothing too
	full    error
}

// add packs a visit, stores it and opens it.
func (c *fakeCentre) add(t testing.TB, v visit) Opened {
	t.Helper()
	index := uint64(len(c.records) + 1)
	id := wire.RecordID{byte(index), 1}
	if v.name != 0 {
		id[0] = v.name
	}
	agent := v.agent
	if agent == "" {
		agent = "agent-7"
	}
	o := Opened{Agent: agent, Ref: id.Ref(), Rec: wire.HashOf([]byte{byte(index)}), Index: index, Findings: v.findings, Damaged: v.damaged}
	s := stored{opened: o}
	if !v.damaged {
		s.parts = v.make(t, id)
	}
	c.records = append(c.records, s)
	return c.open(t, index)
}

// open opens a record from its parts.
func (c *fakeCentre) open(t testing.TB, index uint64) Opened {
	s := c.records[index-1]
	if s.opened.Damaged {
		return s.opened
	}
	v, err := packet.Read(s.parts)
	if err != nil {
		t.Fatal(err)
	}
	o := s.opened
	o.State = route.Fold(v.Events)
	return o
}

// Reopen fetches a record again.
func (c *fakeCentre) Reopen(_ context.Context, index uint64) (Opened, error) {
	c.fetched++
	if c.away || index == 0 || index > uint64(len(c.records)) {
		return Opened{}, errors.New("the centre does not answer")
	}
	v, err := packet.Read(c.records[index-1].parts)
	if err != nil {
		return Opened{}, err
	}
	o := c.records[index-1].opened
	o.State = route.Fold(v.Events)
	return o, nil
}

// Tell keeps news once.
func (c *fakeCentre) Tell(_ context.Context, _ wire.AgentID, ref wire.Ref, kind wire.NoticeKind, _ time.Time) error {
	c.calls++
	if c.full != nil {
		return c.full
	}
	if !slices.Contains(c.told[ref], kind) {
		c.told[ref] = append(c.told[ref], kind)
	}
	return nil
}

// fakeRecords are the NHS records of a table.
type fakeRecords struct {
	people []source.Person
	delay  *Delay
	asked  []Claimed
	live   map[nhs.Number]bool // of records that stop
	many   bool
}

// Match finds a person by surname, given name and birth date.
func (f *fakeRecords) Match(_ context.Context, c Claimed) (Match, *Delay) {
	f.asked = append(f.asked, c)
	if f.delay != nil {
		return Match{}, f.delay
	}
	if f.many {
		return Match{Record: nhs.Many}, nil
	}
	for _, p := range f.people {
		same := proof.NewName(p.Surname).Key == c.Person.Surname.Key && p.Birth == c.Person.Birth.String() &&
			proof.NewName(p.Given).Key == c.Person.Given.Key
		switch {
		case !same || p.Number == "":
		case p.Record != "":
			return Match{Record: nhs.Stopped, Number: nhs.Number(p.Number), Live: p.Record == "restricted"}, nil
		default:
			return Match{Record: nhs.OneExact, Number: nhs.Number(p.Number)}, nil
		}
	}
	return Match{Record: nhs.NoMatch}, nil
}

// fakeAccounts makes accounts and remembers them.
type fakeAccounts struct {
	answers []Provisioned // given in turn before any account is made
	made    map[nhs.Number]Account
	created int
	asked   int
}

// Provision makes an account once.
func (f *fakeAccounts) Provision(_ context.Context, a Account) Provisioned {
	f.asked++
	if len(f.answers) > 0 {
		next := f.answers[0]
		f.answers = f.answers[1:]
		return next
	}
	if _, there := f.made[a.Number]; !there {
		f.made[a.Number], f.created = a, f.created+1
	}
	return Provisioned{Disposition: Done}
}
