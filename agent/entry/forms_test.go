package entry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/verdict"
)

// vouch is a good declaration by an invented teacher.
func vouch() api.VouchForm {
	return api.VouchForm{
		Voucher: api.Identity{Surname: "Vaughn", Given: "Tal", Birth: day(1979, 6, 2)},
		VouchGiven: proof.VouchGiven{Occupation: "teacher", Organisation: "Afon School", Contact: "01632 960001",
			KnownSince: day(2019, 9, 1), Statement: "1", Signed: true, Present: true},
	}
}

func TestVouch(t *testing.T) {
	t.Parallel()
	fact, kind := entry.Vouch(vouch(), false, today)
	if got, ok := fact.(proof.VouchGiven); kind != proof.KindNone || !ok || !got.Paper || got.Voucher.Surname.Key != "VAUGHN" || got.Given != today {
		t.Errorf("a voucher who is not here: %q %+v", kind, fact)
	}
	older := vouch()
	older.Given, older.VouchGiven.Voucher, older.VouchGiven.Proofing = day(2026, 11, 1), proof.Person{Surname: proof.NewName("ELSE")}, "x"
	older.Proofing = "0000 0000 000"
	fact, kind = entry.Vouch(older, false, today)
	if got, ok := fact.(proof.VouchGiven); kind != proof.KindNone || !ok || got.Given != older.Given || got.Proofing != "0000-0000-000" ||
		got.Voucher.Surname.Key != "VAUGHN" {
		t.Errorf("a letter of three weeks ago: %q %+v", kind, fact)
	}
	fact, kind = entry.Vouch(older, true, today)
	if got, ok := fact.(proof.VouchGiven); kind != proof.KindNone || !ok || got.Paper || got.Voucher != (proof.Person{}) || got.Given != today {
		t.Errorf("of a voucher proved here the evidence tells, not the form: %q %+v", kind, fact)
	}
	unnamed := vouch()
	unnamed.Voucher, unnamed.Proofing = api.Identity{}, "0000-0000-000"
	if _, kind := entry.Vouch(unnamed, false, today); kind != proof.KindNone {
		t.Errorf("a voucher known by an own visit: %q", kind)
	}
	for _, c := range []refused[api.VouchForm]{
		{"nobody", func(v *api.VouchForm) { v.Voucher = api.Identity{} }, proof.KindDetailsMissing},
		{"no position", func(v *api.VouchForm) { v.Occupation = "wizard" }, proof.KindDetailsMissing},
		{"no organisation", func(v *api.VouchForm) { v.Organisation = "" }, proof.KindDetailsMissing},
		{"an organisation of spaces", func(v *api.VouchForm) { v.Organisation = " \t" }, proof.KindDetailsMissing},
		{"no contact", func(v *api.VouchForm) { v.Contact = "" }, proof.KindDetailsMissing},
		{"not known since when", func(v *api.VouchForm) { v.KnownSince = proof.Date{} }, proof.KindDetailsMissing},
		{"known before the voucher was born", func(v *api.VouchForm) { v.KnownSince = day(1978, 1, 1) }, proof.KindDateWrong},
		{"known only after the letter", func(v *api.VouchForm) { v.Given = day(2018, 1, 1) }, proof.KindDateWrong},
		{"a letter of some month", func(v *api.VouchForm) { v.Given = proof.Date{Year: 2026, Month: 10} }, proof.KindDateWrong},
		{"a day that is none", func(v *api.VouchForm) { v.KnownSince = day(2019, 2, 29) }, proof.KindDateWrong},
		{"a voucher born tomorrow", func(v *api.VouchForm) { v.Voucher.Birth = day(2026, 11, 23) }, proof.KindDateWrong},
		{"a voucher in other letters", func(v *api.VouchForm) { v.Voucher.Surname = "Vаughn" }, proof.KindOddLetters},
		{"an endless register", func(v *api.VouchForm) { v.Register = strings.Repeat("9", 121) }, proof.KindOddLetters},
		{"known from tomorrow", func(v *api.VouchForm) { v.KnownSince = day(2026, 11, 23) }, proof.KindDateWrong},
		{"a letter of next year", func(v *api.VouchForm) { v.Given = day(2027, 1, 1) }, proof.KindDateWrong},
		{"a reference with a slip", func(v *api.VouchForm) { v.Proofing = "0000-0000-001" }, proof.KindRefWrong},
		{"a strange call back", func(v *api.VouchForm) { v.CallBack = "maybe" }, proof.KindBadRequest},
		{"a hidden sign", func(v *api.VouchForm) { v.Organisation = "Afon\u202eSchool" }, proof.KindOddLetters},
	} {
		in := vouch()
		c.change(&in)
		if _, kind := entry.Vouch(in, false, today); kind != c.want {
			t.Errorf("%s: %q, want %q", c.rule, kind, c.want)
		}
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	good := proof.ProxyRequested{
		Relationship: "parent", Basis: "parental_responsibility", Seen: []proof.EvidenceType{"birth_cert"},
		Actions: []proof.Code{"appointments"}, Text: "1", Language: "en-GB", Until: today,
	}
	if _, kind := entry.Proxy(good, today); kind != proof.KindNone {
		t.Errorf("refused: %q", kind)
	}
	for _, c := range []refused[proof.ProxyRequested]{
		{"no relationship", func(p *proof.ProxyRequested) { p.Relationship = "" }, proof.KindDetailsMissing},
		{"no ground", func(p *proof.ProxyRequested) { p.Basis = "" }, proof.KindDetailsMissing},
		{"nothing asked for", func(p *proof.ProxyRequested) { p.Actions = nil }, proof.KindDetailsMissing},
		{"a relationship that is none", func(p *proof.ProxyRequested) { p.Relationship = "neighbour" }, proof.KindBadRequest},
		{"a ground that is none", func(p *proof.ProxyRequested) { p.Basis = "just_in_case" }, proof.KindBadRequest},
		{"an action that no proxy has", func(p *proof.ProxyRequested) { p.Actions = []proof.Code{"message"} }, proof.KindBadRequest},
		{"the same action twice", func(p *proof.ProxyRequested) { p.Actions = append(p.Actions, p.Actions...) }, proof.KindBadRequest},
		{"evidence that is none", func(p *proof.ProxyRequested) { p.Seen = []proof.EvidenceType{"a word"} }, proof.KindBadRequest},
		{"endless evidence", func(p *proof.ProxyRequested) { p.Seen = slices.Repeat(p.Seen, 1000) }, proof.KindBadRequest},
		{"a text that turns round", func(p *proof.ProxyRequested) { p.Text = "1\u202e" }, proof.KindBadRequest},
		{"a language that is none", func(p *proof.ProxyRequested) { p.Language = "e" }, proof.KindBadRequest},
		{"ends yesterday", func(p *proof.ProxyRequested) { p.Until = day(2026, 11, 21) }, proof.KindDateWrong},
		{"ends some month", func(p *proof.ProxyRequested) { p.Until = proof.Date{Year: 2027, Month: 5} }, proof.KindDateWrong},
		{"ends on no day", func(p *proof.ProxyRequested) { p.Until = day(2027, 2, 29) }, proof.KindDateWrong},
	} {
		in := good
		c.change(&in)
		if _, kind := entry.Proxy(in, today); kind != c.want {
			t.Errorf("%s: %q, want %q", c.rule, kind, c.want)
		}
	}
	fact, kind := entry.Proxy(proof.ProxyRequested{Withdraw: true, Relationship: "x", Text: " 1 ", Language: "cy", Alone: true}, today)
	if got, ok := fact.(proof.ProxyRequested); kind != proof.KindNone || !ok || got.Relationship != "" || got.Text != "1" || !got.Alone {
		t.Errorf("to withdraw takes no reason: %q %+v", kind, fact)
	}
	for rule, in := range map[string]proof.ProxyRequested{
		"endless": {Withdraw: true, Text: strings.Repeat("1", 1000)}, "no language": {Withdraw: true, Language: "\u202ecy"},
	} {
		if _, kind := entry.Proxy(in, today); kind != proof.KindBadRequest {
			t.Errorf("a text to withdraw, %s: %q", rule, kind)
		}
	}
}

// TestListsAreClosed holds that every list has words, each once, and that the
// grounds are those that the verdict knows.
func TestListsAreClosed(t *testing.T) {
	t.Parallel()
	lists := map[string][]proof.Code{
		"occupations": entry.Occupations(), "relationships": entry.Relationships(), "bases": entry.Bases(), "actions": entry.Actions(),
		"contacts": entry.Contacts(), "formats": entry.WrittenFormats(),
	}
	for _, p := range entry.Papers() {
		lists["papers"] = append(lists["papers"], proof.Code(p))
	}
	for name, list := range lists {
		sorted := slices.Clone(list)
		slices.Sort(sorted)
		if len(list) < 3 || len(slices.Compact(sorted)) != len(list) || slices.Contains(list, "") {
			t.Errorf("%s: %q", name, list)
		}
	}
	want := slices.Concat(verdict.Bases(10), verdict.Bases(40))
	got := entry.Bases()
	slices.Sort(want)
	slices.Sort(got)
	if want = slices.Compact(want); !slices.Equal(got, want) {
		t.Errorf("the grounds are %q, those of the verdict %q", got, want)
	}
}

// TestVersionsAreNoSentences holds free words out of the names of texts, which
// auditors read.
func TestVersionsAreNoSentences(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{
		"": true, "1": true, " vouch-cy-1 ": true, "consent_en.2": true, strings.Repeat("1", 40): true,
		"Wren Quill": false, "1;2": false, "\u202e1": false, "ŵ": false, "a\x00": false, strings.Repeat("1", 41): false,
	} {
		name, ok := entry.Version(typed)
		if ok != want || ok && name != strings.TrimSpace(typed) {
			t.Errorf("%q is %q, taken %t, want %t", typed, name, ok, want)
		}
		v := vouch()
		v.Statement = typed
		if _, kind := entry.Vouch(v, false, today); (kind == proof.KindNone) != want {
			t.Errorf("a vouch by the text %q: %q", typed, kind)
		}
		if _, kind := entry.Proxy(proof.ProxyRequested{Withdraw: true, Text: typed}, today); (kind == proof.KindNone) != want {
			t.Errorf("a request by the text %q: %q", typed, kind)
		}
	}
}
