package limit_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/sync/wire"
)

// come is one visit that comes to the opener.
type come struct {
	who     proof.Person
	kind    proof.EvidenceType
	number  string
	nhs     string
	site    string
	counter wire.AgentID
	clerk   proof.OperatorID
	chip    string        // the digest of its security object
	after   time.Duration // noon
	offset  time.Duration
	proved  bool
}

// traces makes the traces of visits in the order in which they come.
func traces(t testing.TB, visits []come) []limit.Trace {
	t.Helper()
	tg := tagger(t, 1)
	var out []limit.Trace
	for i, v := range visits {
		s := shown(v.who, v.kind, v.number)
		s.Started.At = noon.Add(v.after)
		s.Visit.Site, s.Operator = v.site, v.clerk
		s.Outcome = &proof.Outcome{Result: proof.NotProved}
		if v.proved {
			s.Outcome.Result = proof.Proved
		}
		if v.nhs != "" {
			s.Claim = &route.Claim{IdentityClaimed: proof.IdentityClaimed{Person: v.who, NHSNumber: v.nhs}}
		}
		files := func(proof.PictureID) []byte { return nil }
		if v.chip != "" {
			s.Piece.Chip = &route.Chip{Event: 1, ChipRead: proof.ChipRead{Files: "chip-1"}}
			files = func(proof.PictureID) []byte { return []byte(v.chip) }
		}
		out = append(out, tg.Trace(s, policy(t), limit.Outside{
			Rec: wire.Hash{byte(i + 1), byte((i + 1) >> 8)}, Index: uint64(i + 1), Counter: v.counter, Offset: v.offset,
			Events: []proof.Event{{Seq: 1, At: s.Started.At}}, Files: files,
		}))
	}
	return out
}

// flagged holds traces against each other, in their order.
func flagged(p limit.Pace, all []limit.Trace) []wire.Flag {
	c := limit.NewCrowd(p)
	var out []wire.Flag
	for _, tr := range all {
		out = append(out, c.Take(tr, noon)...)
	}
	return out
}

// Two NHS numbers with right check digits, from the range for tests.
const (
	numberA = "9990000018"
	numberB = "9990000026"
)

// TestCrowd: what is to be looked at, and what is not.
func TestCrowd(t *testing.T) {
	t.Parallel()
	maiden := person("SPECIMEN", "MORGAN WREN", wren.Birth)
	married := person("FENWICK", "MORGAN", wren.Birth)
	twin := person("SPECIMEN", "TAL", wren.Birth)
	for _, c := range []struct {
		name   string
		visits []come
		want   wire.FlagKind // "" for nothing
	}{
		{"document/same-person", []come{{who: wren, kind: "passport", number: "U1"}, {who: wren, kind: "passport", number: "U1"}}, ""},
		{"document/two-people", []come{{who: wren, kind: "passport", number: "U1"}, {who: tal, kind: "passport", number: "U1"}}, wire.FlagDocument},
		{"document/written-otherwise", []come{{who: wren, kind: "passport", number: "U 1"}, {who: tal, kind: "passport", number: "u1"}}, wire.FlagDocument},
		{"document/renewed", []come{{who: wren, kind: "passport", number: "U1"}, {who: wren, kind: "passport", number: "U2"}}, ""},
		{"document/new-after-marriage", []come{{who: maiden, kind: "passport", number: "U1"}, {who: married, kind: "passport", number: "U2"}}, ""},
		{"document/passport-in-another-surname", []come{{who: maiden, kind: "passport", number: "U1"}, {who: married, kind: "passport", number: "U1"}}, wire.FlagDocument},
		{"document/licence-for-life-after-marriage", []come{{who: maiden, kind: "eu_dl", number: "L1"}, {who: married, kind: "eu_dl", number: "L1"}}, ""},
		{"document/licence-for-life-two-people", []come{{who: maiden, kind: "eu_dl", number: "L1"}, {who: tal, kind: "eu_dl", number: "L1"}}, wire.FlagDocument},
		{"document/same-number-of-another-kind", []come{{who: wren, kind: "passport", number: "U1"}, {who: tal, kind: "uk_dl", number: "U1"}}, ""},
		{"document/without-a-photo", []come{{who: wren, kind: "bank_account", number: "B1"}, {who: tal, kind: "bank_account", number: "B1"}}, ""},
		{"people/same-name-and-birth", []come{{who: wren, kind: "passport", number: "U1", nhs: numberA}, {who: wren, kind: "passport", number: "U2", nhs: numberB}}, ""},
		{"number/same-person", []come{{who: wren, kind: "passport", number: "U1", nhs: numberA}, {who: wren, kind: "passport", number: "U2", nhs: "999 000 0018"}}, ""},
		{"number/two-people", []come{{who: wren, kind: "passport", number: "U1", nhs: numberA}, {who: tal, kind: "passport", number: "U2", nhs: "999-000-0018"}}, wire.FlagPerson},
		{"number/married", []come{{who: maiden, kind: "passport", number: "U1", nhs: numberA}, {who: married, kind: "passport", number: "U2", nhs: numberA}}, ""},
		{"number/twins", []come{{who: maiden, kind: "passport", number: "U1", nhs: numberA}, {who: twin, kind: "passport", number: "U2", nhs: numberA}}, wire.FlagPerson},
		{"number/none", []come{{who: wren, kind: "passport", number: "U1"}, {who: tal, kind: "passport", number: "U2"}}, ""},
		{"number/not-one", []come{{who: wren, kind: "passport", number: "U1", nhs: "0000000000"}, {who: tal, kind: "passport", number: "U2", nhs: "0000000000"}}, ""},
		{"chip/again-next-day", []come{{who: wren, kind: "passport", number: "U1", chip: "a", counter: "c1", site: "s1"}, {who: wren, kind: "passport", number: "U1", chip: "a", counter: "c2", site: "s2", after: 24 * time.Hour}}, ""},
		{"chip/another-document", []come{{who: wren, kind: "passport", number: "U1", chip: "a"}, {who: wren, kind: "passport", number: "U2", chip: "a"}}, wire.FlagChip},
		{"chip/renewed", []come{{who: wren, kind: "passport", number: "U1", chip: "a"}, {who: wren, kind: "passport", number: "U2", chip: "b"}}, ""},
		{"chip/two-sites-at-once", []come{{who: wren, kind: "passport", number: "U1", chip: "a", counter: "c1", site: "s1"}, {who: wren, kind: "passport", number: "U1", chip: "a", counter: "c2", site: "s2", after: 9 * time.Minute}}, wire.FlagChip},
		{"chip/two-sites-later", []come{{who: wren, kind: "passport", number: "U1", chip: "a", counter: "c1", site: "s1"}, {who: wren, kind: "passport", number: "U1", chip: "a", counter: "c2", site: "s2", after: 10 * time.Minute}}, ""},
		{"chip/next-counter", []come{{who: wren, kind: "passport", number: "U1", chip: "a", counter: "c1", site: "s1"}, {who: wren, kind: "passport", number: "U1", chip: "a", counter: "c2", site: "s1", after: 2 * time.Minute}}, ""},
		{"chip/next-counter-at-once", []come{{who: wren, kind: "passport", number: "U1", chip: "a", counter: "c1", site: "s1"}, {who: wren, kind: "passport", number: "U1", chip: "a", counter: "c2", site: "s1", after: 30 * time.Second}}, wire.FlagChip},
		{"chip/same-counter-again", []come{{who: wren, kind: "passport", number: "U1", chip: "a", counter: "c1", site: "s1"}, {who: wren, kind: "passport", number: "U1", chip: "a", counter: "c1", site: "s1", after: 30 * time.Second}}, ""},
		{"chip/clock-put-right", []come{{who: wren, kind: "passport", number: "U1", chip: "a", counter: "c1", site: "s1"}, {who: wren, kind: "passport", number: "U1", chip: "a", counter: "c2", site: "s2", after: time.Minute, offset: 3 * time.Hour}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, order := range []bool{false, true} {
				visits := slices.Clone(c.visits)
				if order {
					slices.Reverse(visits)
				}
				got := flagged(limit.Pace{}, traces(t, visits))
				if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || got[0].Kind != c.want || got[0].Check() != nil) {
					t.Errorf("reversed %t: flags %+v, want %q", order, got, c.want)
				}
				if len(got) == 1 && !slices.Equal(got[0].Records, []wire.Hash{{1}, {2}}) {
					t.Errorf("the records are not in the log's order: %v", got[0].Records)
				}
			}
		})
	}
}

// TestPace: above the limit people are asked to look, once for so many.
func TestPace(t *testing.T) {
	t.Parallel()
	people := func(n int, every time.Duration, clerk proof.OperatorID) []come {
		var out []come
		for i := range n {
			who := person("SPECIMEN", "MORGAN", day(1950+i/300, 1+i/25%12, 1+i%25))
			out = append(out, come{who: who, kind: "passport", number: "U" + who.Birth.String(), site: "s1", counter: "c1", clerk: clerk, after: time.Duration(i) * every, proved: true})
		}
		return out
	}
	pace := limit.Pace{ClerkHour: 5, ClerkDay: 12, SiteHour: 8, SiteDay: 30}
	two := slices.Concat(people(5, time.Minute, "ann"), people(5, time.Minute, "bob"))
	unproved := people(7, time.Minute, "ann")
	unproved[3].proved, unproved[4].proved = false, false
	late := people(6, 10*time.Minute, "ann")
	slices.Reverse(late)
	for _, c := range []struct {
		name   string
		visits []come
		pace   limit.Pace
		want   []int // records of each flag
	}{
		{"hour/at-the-limit", people(5, time.Minute, "ann"), pace, nil},
		{"hour/above", people(6, time.Minute, "ann"), pace, []int{6}},
		{"hour/above-twice", people(12, time.Second, "ann"), limit.Pace{ClerkHour: 5, ClerkDay: 90, SiteHour: 90, SiteDay: 90}, []int{6, 6}},
		{"hour/out-of-order", late, pace, []int{6}},
		{"hour/spread", people(10, 12*time.Minute, "ann"), pace, nil},
		{"day/above", people(13, 100*time.Minute, "ann"), pace, []int{13}},
		{"site/above", two, pace, []int{9}},
		{"site/not-proved", unproved, pace, nil},
		{"clerk/unknown", people(6, time.Minute, ""), pace, nil},
		{"defaults", people(20, time.Minute, "ann"), limit.Pace{}, nil},
		{"defaults/above", people(21, time.Minute, "ann"), limit.Pace{ClerkHour: -1}, []int{21}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			all := traces(t, c.visits)
			got := flagged(c.pace, all)
			var sizes []int
			for _, f := range got {
				sizes = append(sizes, len(f.Records))
				if f.Kind != wire.FlagPace || f.Check() != nil {
					t.Errorf("flag %+v", f)
				}
			}
			if !slices.Equal(sizes, c.want) {
				t.Errorf("flags of %v records, want %v", sizes, c.want)
			}
			if again := flagged(c.pace, all); len(again) != len(got) || len(got) > 0 && again[0].Hash() != got[0].Hash() {
				t.Error("the same traces give other flags")
			}
		})
	}
}

// A flag names at most so many records as one may.
func TestFlagsAreBounded(t *testing.T) {
	t.Parallel()
	var visits []come
	for i := range 300 {
		visits = append(visits, come{who: wren, kind: "passport", number: "U1", site: "s", counter: "c", clerk: "ann", after: time.Duration(i) * time.Second, proved: true})
	}
	for _, f := range flagged(limit.Pace{ClerkHour: 200}, traces(t, visits)) {
		if f.Check() != nil {
			t.Errorf("a flag of %d records", len(f.Records))
		}
	}
}

// A trace names nobody, reads back as it was, and tags of different kinds and keys
// differ.
func TestTrace(t *testing.T) {
	t.Parallel()
	tr := traces(t, []come{{who: wren, kind: "passport", number: "U1234567", nhs: numberA, site: "FA123", counter: "agent-7", clerk: "robin", chip: "x", proved: true}})[0]
	b, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"SPECIMEN", "MORGAN", "U1234567", "1985", numberA, "FA123", "agent-7", "robin"} {
		if strings.Contains(string(b), word) {
			t.Errorf("a trace tells %s", word)
		}
	}
	var back limit.Trace
	if err := json.Unmarshal(b, &back); err != nil || back.Number != tr.Number || len(back.Chips) != 1 || len(back.Papers) != 1 || back.Clerk == "" || !back.Proved {
		t.Errorf("it reads back as %+v, %v", back, err)
	}
	tags := []limit.Tag{tr.Number, tr.Site, tr.Counter, tr.Clerk, tr.People[0].Person, tr.People[0].Given, tr.Papers[0].Document, tr.Chips[0].Files, tr.Chips[0].Document}
	for i, tag := range tags {
		if len(tag) != 32 || slices.Contains(tags[:i], tag) {
			t.Errorf("tag %d is %q: too short, or another kind's", i, tag)
		}
	}
	if nobody := tagger(t, 1).Alias(proof.Person{}); nobody != (limit.Alias{}) {
		t.Errorf("nobody has the alias %+v", nobody)
	}
	var s route.State
	s.Preferences = &proof.PreferencesGiven{Mobile: "+44 7700 900123"}
	if with := tagger(t, 1).Trace(s, policy(t), limit.Outside{}); with.Phone == "" || len(with.People) != 0 {
		t.Errorf("a telephone number leaves %+v", with)
	}
}
