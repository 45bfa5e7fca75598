package limit_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

func day(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }

func person(surname, given string, birth proof.Date) proof.Person {
	return proof.Person{Surname: proof.NewName(surname), Given: proof.NewName(given), Birth: birth}
}

// The invented people of these visits.
var (
	wren = person("SPECIMEN", "MORGAN WREN", day(1985, 3, 12))
	tal  = person("VAUGHN", "TAL", day(1979, 6, 2))
	oda  = person("FENWICK", "ODA", day(1966, 4, 25))
	iska = person("THORNE", "ISKA", day(1988, 12, 1))
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func policy(t testing.TB) *gpg45.Policy {
	t.Helper()
	p, err := gpg45.Load(gpg45.Default)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tagger(t testing.TB, fill byte) limit.Tagger {
	t.Helper()
	key := make([]byte, limit.KeySize)
	key[0] = fill
	tg, err := limit.NewTagger(key)
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// shown is a visit in which somebody showed one document.
func shown(holder proof.Person, kind proof.EvidenceType, number string) route.State {
	var s route.State
	s.Started.At = noon
	s.Subject.Piece = route.Piece{
		Chosen:  proof.EvidenceChosen{Type: kind, Form: proof.ByField},
		Entered: &route.Entered{Event: 3, EvidenceEntered: proof.EvidenceEntered{Person: holder, Number: number, Issuer: "GBR"}},
	}
	return s
}

// vouched is a visit in which somebody vouched for somebody, days after noon.
func vouched(voucher, patient proof.Person, days int) route.State {
	var s route.State
	s.Started.At = noon.AddDate(0, 0, days)
	s.Subject.Claim = &route.Claim{IdentityClaimed: proof.IdentityClaimed{Person: patient}}
	s.Subject.Piece = route.Piece{
		Chosen: proof.EvidenceChosen{Type: proof.Vouch, Form: proof.ByVouch},
		Vouch:  &route.Vouch{Event: 5, VouchGiven: proof.VouchGiven{Voucher: voucher}},
	}
	s.Voucher.Party = proof.Voucher
	return s
}

func TestTagsOfPeople(t *testing.T) {
	t.Parallel()
	tg := tagger(t, 1)
	long := person("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ANN", day(1990, 1, 1))
	cases := []struct {
		name string
		a, b proof.Person
		same bool
	}{
		{"same", wren, wren, true},
		{"further-given-name-missing", wren, person("SPECIMEN", "MORGAN", wren.Birth), true},
		{"hyphen-and-space", person("DE LA CRUZ", "EVA", wren.Birth), person("DELACRUZ", "EVA", wren.Birth), true},
		{"surname-cut-off", long, person("ABCDEFGHIJKLMNOPQRSTUV", "ANN", long.Birth), true},
		{"another-surname", wren, person("SPECIMAN", "MORGAN WREN", wren.Birth), false},
		{"another-given-name", wren, person("SPECIMEN", "WREN", wren.Birth), false},
		{"another-birth-date", wren, person("SPECIMEN", "MORGAN WREN", day(1985, 3, 13)), false},
		{"fields-do-not-run-together", person("AB", "C", wren.Birth), person("A", "BC", wren.Birth), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := tg.Person(c.a), tg.Person(c.b)
			if a == "" || b == "" || (a == b) != c.same {
				t.Errorf("the tags are the same: %t, want %t", a == b, c.same)
			}
		})
	}
	if tg.Person(proof.Person{}) != "" || tg.Person(person("SPECIMEN", "WREN", proof.Date{})) != "" {
		t.Error("nobody has a tag")
	}
	if tg.Person(wren) == tagger(t, 2).Person(wren) {
		t.Error("another key gives the same tag")
	}
	if strings.Contains(string(tg.Person(wren)), "SPECIMEN") || len(tg.Person(wren)) != 32 {
		t.Error("a tag is no hash")
	}
}

// What a record says of its desk, and how much it shows, is hostile: it is neither
// written down nor without an end.
func TestHostileVisit(t *testing.T) {
	t.Parallel()
	s := shown(wren, "eu_dl", "A0")
	for i := range 1000 {
		piece := s.Subject.Piece
		piece.Entered = &route.Entered{EvidenceEntered: proof.EvidenceEntered{Person: wren, Number: fmt.Sprint("A", i), Issuer: "GBR"}}
		s.Done = append(s.Done, piece)
	}
	v := tagger(t, 1).Visit(s, policy(t), strings.Repeat("MORGAN SPECIMEN", 10_000))
	text, err := json.Marshal(v)
	if err != nil || len(text) > 16<<10 || strings.Contains(string(text), "SPECIMEN") || len(v.Documents) < 12 {
		t.Errorf("%d documents in %d bytes, %v", len(v.Documents), len(text), err)
	}
	if a, b := tagger(t, 1).Visit(s, policy(t), "FWC87"), tagger(t, 1).Visit(s, policy(t), "FA123"); a.Desk == b.Desk {
		t.Error("two desks are one")
	}
}

func TestKeyLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, limit.KeySize - 1, limit.KeySize + 1} {
		if _, err := limit.NewTagger(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes is taken", n)
		}
	}
}

// before makes a list of visits and asks it about one more.
func against(t testing.TB, now route.State, before ...route.State) []proof.Code {
	t.Helper()
	l, tg := limit.NewList(), tagger(t, 1)
	for _, s := range before {
		l.Add(tg.Visit(s, policy(t), "FWC87"))
	}
	return l.Against(tg.Visit(now, policy(t), "FWC87"), policy(t).Unconfirmed())
}

func TestOneDocumentForTwoPeople(t *testing.T) {
	t.Parallel()
	two := shown(wren, proof.UKLicence, "SPECI 853125 M99AB")
	two.Proxy = shown(oda, proof.UKLicence, "SPECI853125M99AB").Subject
	two.Proxy.Party = proof.Proxy
	cases := []struct {
		name   string
		now    route.State
		before []route.State
		found  bool
	}{
		{"first-time", shown(wren, proof.UKLicence, "SPECI853125M99AB"), nil, false},
		{"same-person-again", shown(wren, proof.UKLicence, "SPECI853125M99AB"), []route.State{shown(wren, proof.UKLicence, "SPECI853125M99AB")}, false},
		{"another-person", shown(oda, proof.UKLicence, "SPECI853125M99AB"), []route.State{shown(wren, proof.UKLicence, "SPECI853125M99AB")}, true},
		{"another-person/spaces-and-case", shown(oda, proof.UKLicence, "speci 853125 m99ab"), []route.State{shown(wren, proof.UKLicence, "SPECI853125M99AB")}, true},
		{"another-person/another-number", shown(oda, proof.UKLicence, "FENWI664255O99AB"), []route.State{shown(wren, proof.UKLicence, "SPECI853125M99AB")}, false},
		{"another-person/another-kind", shown(oda, "forces_id", "SPECI853125M99AB"), []route.State{shown(wren, proof.UKLicence, "SPECI853125M99AB")}, false},
		{"another-person/same-family", shown(oda, "eu_dl", "SPECI853125M99AB"), []route.State{shown(wren, proof.UKLicence, "SPECI853125M99AB")}, true},
		{"joint-account", shown(oda, "bank_account", "1234"), []route.State{shown(wren, "bank_account", "1234")}, false},
		{"marriage-certificate", shown(oda, "marriage_cert", "77/123"), []route.State{shown(wren, "marriage_cert", "77/123")}, false},
		{"no-number", shown(oda, proof.UKLicence, ""), []route.State{shown(wren, proof.UKLicence, "")}, false},
		{"two-people-of-one-visit", two, nil, true},
		{"the-first-holder-stays", shown(oda, proof.UKLicence, "SPECI853125M99AB"),
			[]route.State{shown(wren, proof.UKLicence, "SPECI853125M99AB"), shown(oda, proof.UKLicence, "SPECI853125M99AB")}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := against(t, c.now, c.before...); slices.Contains(got, proof.SameDocumentTwice) != c.found || len(got) > 1 {
				t.Errorf("found %v, want it found: %t", got, c.found)
			}
		})
	}
}

func TestVouchers(t *testing.T) {
	t.Parallel()
	var five []route.State
	for i := range 5 {
		five = append(five, vouched(tal, person("PATIENT", string(rune('A'+i)), day(1990, 1, 1+i)), i))
	}
	cases := []struct {
		name   string
		now    route.State
		before []route.State
		want   []proof.Code
	}{
		{"first-vouch", vouched(tal, wren, 0), nil, nil},
		{"voucher-was-proved-by-documents", vouched(tal, wren, 0), []route.State{shown(tal, proof.UKLicence, "VAUGH706029T99AB")}, nil},
		{"chain", vouched(wren, oda, 1), []route.State{vouched(tal, wren, 0)}, []proof.Code{limit.VouchChain}},
		{"circle/of-two", vouched(wren, tal, 1), []route.State{vouched(tal, wren, 0)}, []proof.Code{limit.VouchChain}},
		{"circle/of-three", vouched(oda, tal, 2), []route.State{vouched(tal, wren, 0), vouched(wren, oda, 1)}, []proof.Code{limit.VouchChain}},
		{"voucher-is-vouched-for-later", vouched(tal, iska, 2), []route.State{vouched(tal, wren, 0), vouched(oda, iska, 1)}, nil},
		{"self", vouched(wren, wren, 0), nil, []proof.Code{limit.VouchChain}},
		{"fifth-of-the-month", vouched(tal, wren, 6), five[:4], nil},
		{"sixth-of-the-month", vouched(tal, wren, 6), five, []proof.Code{limit.VouchTooOften}},
		{"sixth/the-first-is-30-days-ago", vouched(tal, wren, 30), five, nil},
		{"sixth/by-another-voucher", vouched(oda, wren, 6), five, nil},
		{"sixth/record-came-late", vouched(tal, wren, -20), five, []proof.Code{limit.VouchTooOften}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := against(t, c.now, c.before...); !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
	l, tg := limit.NewList(), tagger(t, 1)
	for _, s := range five {
		l.Add(tg.Visit(s, policy(t), "FWC87"))
	}
	if got := l.Against(tg.Visit(vouched(tal, wren, 6), policy(t), "FA123"), policy(t).Unconfirmed()); len(got) > 0 {
		t.Errorf("at another desk: %v", got)
	}
}

// A voucher who was proved here counts by the proof, and the declared name too.
func TestProvedVoucherIsTagged(t *testing.T) {
	t.Parallel()
	tg := tagger(t, 1)
	s := vouched(person("VAUGHN", "T", tal.Birth), wren, 0)
	s.Voucher = shown(tal, proof.UKLicence, "VAUGH706029T99AB").Subject
	s.Voucher.Party = proof.Voucher
	v := tg.Visit(s, policy(t), "FWC87")
	if len(v.Vouchers) != 2 || !slices.Contains(v.Vouchers, tg.Person(tal)) || len(v.Documents) != 1 || v.Person != tg.Person(wren) {
		t.Errorf("%d vouchers, %d documents", len(v.Vouchers), len(v.Documents))
	}
}

func TestTooOld(t *testing.T) {
	t.Parallel()
	u := policy(t).Unconfirmed()
	given := func(d proof.Date) route.State {
		s := vouched(tal, wren, 0)
		s.Vouch.Given = d
		return s
	}
	cases := []struct {
		name  string
		in    []route.State
		today proof.Date
		want  bool
	}{
		{"no-vouch", []route.State{shown(wren, proof.UKLicence, "1")}, day(2028, 1, 1), false},
		{"given-here-today", []route.State{vouched(tal, wren, 0)}, day(2026, 11, 22), false},
		{"given-here/last-day", []route.State{vouched(tal, wren, 0)}, day(2027, 2, 20), false},
		{"given-here/a-day-later", []route.State{vouched(tal, wren, 0)}, day(2027, 2, 21), true},
		{"letter/old-at-the-visit", []route.State{given(day(2026, 8, 1))}, day(2026, 11, 22), true},
		{"letter/recent", []route.State{given(day(2026, 11, 1))}, day(2026, 11, 22), false},
		{"of-the-earlier-visit", []route.State{shown(wren, proof.UKLicence, "1"), given(day(2026, 8, 1))}, day(2026, 11, 22), true},
		{"day-not-told", []route.State{given(proof.Date{Year: 2020})}, day(2026, 11, 22), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := limit.TooOld(c.in, u, c.today); got != c.want {
				t.Errorf("too old: %t, want %t", got, c.want)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	token := claim.New([10]byte{1, 2, 3})
	made := func(until proof.Date) route.State {
		var s route.State
		s.Started.At = noon
		s.Token = &proof.ClaimMade{Token: string(token), Until: until}
		return s
	}
	for _, c := range []struct {
		name        string
		told, until proof.Date
	}{
		{"as-told", day(2027, 2, 20), day(2027, 2, 20)},
		{"sooner", day(2026, 12, 1), day(2026, 12, 1)},
		{"longer-than-the-rules", day(2030, 1, 1), day(2027, 2, 20)},
		{"not-told", proof.Date{}, day(2027, 2, 20)},
		{"no-date", day(2026, 13, 1), day(2027, 2, 20)},
	} {
		if digest, until := limit.Token(made(c.told)); digest != token.Digest() || until != c.until {
			t.Errorf("%s: until %s, want %s; the digest is right: %t", c.name, until, c.until, digest == token.Digest())
		}
	}
	if digest, _ := limit.Token(route.State{}); digest != "" {
		t.Error("a visit without a token has one")
	}
	if limit.Digest(strings.ToLower(strings.ReplaceAll(string(token), "-", " "))) != token.Digest() {
		t.Error("a token typed another way is another token")
	}
	if limit.Digest("TOKEN") != "" || limit.Digest("") != "" {
		t.Error("what is no token has a digest")
	}
}

// The golden visits of the routes: what is on the list of each, and that the
// list names nobody.
func TestGoldenVisits(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]int{ // documents, vouchers
		"photo-proved": {1, 0}, "vouch-pending": {1, 1}, "vouch-on-paper": {0, 1}, "proxy-adult": {2, 0},
		"practice-pending": {0, 0}, "certificates-only": {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := tagger(t, 1).Visit(route.Fold(readLog(t, name)), policy(t), "FWC87")
			if len(v.Documents) != want[0] || len(v.Vouchers) != want[1] || v.Person == "" {
				t.Errorf("%d documents, %d vouchers, want %v", len(v.Documents), len(v.Vouchers), want)
			}
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"SPECIMEN", "VAUGHN", "WREN", "1985", "1979", "U1234567"} {
				if strings.Contains(string(text), secret) {
					t.Errorf("the list tells %s", secret)
				}
			}
		})
	}
}

// readLog reads a golden visit.
func readLog(t *testing.T, name string) []proof.Event {
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
	return events
}
