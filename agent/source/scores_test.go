package source_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/source"
)

var today = day(2026, 11, 22)

func day(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }

func unconfirmed(t testing.TB) gpg45.Unconfirmed {
	t.Helper()
	p, err := gpg45.Load(gpg45.Default)
	if err != nil {
		t.Fatal(err)
	}
	return p.Unconfirmed()
}

// answer is what an independent source says of a person.
func answer(c source.Check, v source.Verdict, from string) source.Answer {
	return source.Answer{Check: c, Verdict: v, Source: from, Independent: true, Asked: today}
}

// clear is a source that finds nothing against anybody.
func clear(from string) []source.Answer {
	return []source.Answer{
		answer(source.IdentityTheft, source.Miss, from), answer(source.Impersonation, source.Miss, from),
		answer(source.Mortality, source.Miss, from), answer(source.Synthetic, source.Miss, from),
		answer(source.Applicable, source.Hit, from), answer(source.Available, source.Hit, from),
	}
}

// with replaces the answer to a check.
func with(answers []source.Answer, c source.Check, v source.Verdict) []source.Answer {
	out := slices.Clone(answers)
	for i := range out {
		if out[i].Check == c {
			out[i].Verdict = v
		}
	}
	return out
}

func TestFraudScore(t *testing.T) {
	t.Parallel()
	one, two := clear("a"), append(clear("a"), clear("b")...)
	own := append(clear("a"), clear("b")...)
	own[7].Independent = false
	cases := []struct {
		name    string
		answers []source.Answer
		fraud   int
		hits    []proof.Code
	}{
		{"nobody-asked", nil, 0, nil},
		{"both-sets/one-source", one, 2, nil},
		{"both-sets/two-sources", two, 3, nil},
		{"both-sets/two-sources-one-of-the-team", own, 2, nil},
		{"both-sets/one-source-twice", append(clear("a"), clear("a")...), 2, nil},
		{"theft-set-alone", one[:2], 1, nil},
		{"record-set-alone", one[2:4], 1, nil},
		{"half-a-set", one[:1], 0, nil},
		{"half-a-set-each", []source.Answer{one[0], one[3]}, 0, nil},
		{"down/counts-as-not-asked", with(one, source.Impersonation, source.Down), 1, nil},
		{"no-source-applies", with(one, source.Applicable, source.Miss), 0, nil},
		{"no-source-available", with(one, source.Available, source.Miss), 0, nil},
		{"hit/theft", with(one, source.IdentityTheft, source.Hit), 0, []proof.Code{source.CodeTheft}},
		{"hit/impersonation", with(one, source.Impersonation, source.Hit), 0, []proof.Code{source.CodeTheft}},
		{"hit/dead", with(one, source.Mortality, source.Hit), 0, []proof.Code{source.CodeDeceased}},
		{"hit/made-up", with(one, source.Synthetic, source.Hit), 0, []proof.Code{source.CodeSynthetic}},
		{"hit/of-one-source-counts-against-the-other", append(clear("a"), with(clear("b"), source.Mortality, source.Hit)...), 0, []proof.Code{source.CodeDeceased}},
		{"hit/two", with(with(one, source.Mortality, source.Hit), source.IdentityTheft, source.Hit), 0, []proof.Code{source.CodeDeceased, source.CodeTheft}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, docs := source.Scores(c.answers, unconfirmed(t))
			if s.Fraud != c.fraud || !slices.Equal(s.Hits, c.hits) || s.Activity != 0 || len(docs) != 0 {
				t.Errorf("fraud %d, hits %v, activity %d, %d documents; want %d, %v, 0, 0", s.Fraud, s.Hits, s.Activity, len(docs), c.fraud, c.hits)
			}
			other := slices.Clone(c.answers) // cases share their answers and run side by side
			slices.Reverse(other)
			if again, _ := source.Scores(other, unconfirmed(t)); !reflect.DeepEqual(again, s) {
				t.Errorf("in another order it is %+v, not %+v", again, s)
			}
		})
	}
}

func TestActivityScore(t *testing.T) {
	t.Parallel()
	known := func(since proof.Date, k source.Keeping) source.Answer {
		a := answer(source.Activity, source.Hit, "a")
		a.Since, a.Keeping = since, k
		return a
	}
	long := day(2010, 1, 1)
	cases := []struct {
		name    string
		answers []source.Answer
		want    int
	}{
		{"unknown", []source.Answer{answer(source.Activity, source.Miss, "a")}, 0},
		{"down", []source.Answer{answer(source.Activity, source.Down, "a")}, 0},
		{"long/own-process", []source.Answer{known(long, source.KeepsOwn)}, 1},
		{"long/authoritative", []source.Answer{known(long, source.KeepsPublished)}, 2},
		{"long/money-laundering", []source.Answer{known(long, source.KeepsMLR)}, 3},
		{"long/official-image", []source.Answer{known(long, source.KeepsOfficial)}, 4},
		{"a-year/official-image", []source.Answer{known(day(2025, 11, 22), source.KeepsOfficial)}, 3},
		{"a-day-less-than-a-year", []source.Answer{known(day(2025, 11, 23), source.KeepsOfficial)}, 2},
		{"four-months", []source.Answer{known(day(2026, 7, 22), source.KeepsOfficial)}, 1},
		{"yesterday", []source.Answer{known(day(2026, 11, 21), source.KeepsOfficial)}, 0},
		{"tomorrow", []source.Answer{known(day(2026, 11, 23), source.KeepsOfficial)}, 0},
		{"no-date", []source.Answer{known(proof.Date{}, source.KeepsOfficial)}, 0},
		{"keeping-not-known", []source.Answer{known(long, "hearsay")}, 0},
		{"the-best-counts", []source.Answer{known(long, source.KeepsOwn), known(long, source.KeepsMLR), known(long, source.KeepsPublished)}, 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if s, _ := source.Scores(c.answers, unconfirmed(t)); s.Activity != c.want || s.Fraud != 0 {
				t.Errorf("activity %d, fraud %d; want %d, 0", s.Activity, s.Fraud, c.want)
			}
		})
	}
}

func TestDocumentChecks(t *testing.T) {
	t.Parallel()
	of := func(event int, c source.Check, v source.Verdict) source.Answer {
		a := answer(c, v, "a")
		a.Event = event
		return a
	}
	remote := proof.Actor{Kind: proof.ByRemote}
	cases := []struct {
		name    string
		answers []source.Answer
		want    map[int]gpg45.RecordCheck
	}{
		{"matched-and-clear", []source.Answer{of(3, source.Record, source.Hit), of(3, source.Cancelled, source.Miss), of(3, source.LostStolen, source.Miss)},
			map[int]gpg45.RecordCheck{3: {Event: 3, By: remote, Matched: true, Clear: true}}},
		{"matched/lost-not-asked", []source.Answer{of(3, source.Record, source.Hit), of(3, source.Cancelled, source.Miss)},
			map[int]gpg45.RecordCheck{3: {Event: 3, By: remote, Matched: true}}},
		{"lost", []source.Answer{of(3, source.Record, source.Hit), of(3, source.Cancelled, source.Miss), of(3, source.LostStolen, source.Hit)},
			map[int]gpg45.RecordCheck{3: {Event: 3, By: remote, Matched: true, Hit: true}}},
		{"cancelled/of-one-source", []source.Answer{of(3, source.Cancelled, source.Miss), of(3, source.LostStolen, source.Miss), of(3, source.Cancelled, source.Hit)},
			map[int]gpg45.RecordCheck{3: {Event: 3, By: remote, Hit: true}}},
		{"not-known", []source.Answer{of(3, source.Record, source.Miss)}, map[int]gpg45.RecordCheck{3: {Event: 3, By: remote}}},
		{"down", []source.Answer{of(3, source.Record, source.Down)}, map[int]gpg45.RecordCheck{}},
		{"two-documents", []source.Answer{of(3, source.Record, source.Hit), of(9, source.LostStolen, source.Hit)},
			map[int]gpg45.RecordCheck{3: {Event: 3, By: remote, Matched: true}, 9: {Event: 9, By: remote, Hit: true}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, got := source.Scores(c.answers, unconfirmed(t)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestAnyDown(t *testing.T) {
	t.Parallel()
	if source.AnyDown(clear("a")) {
		t.Error("a full set of answers counts as down")
	}
	if !source.AnyDown(with(clear("a"), source.Available, source.Down)) || !source.AnyDown(with(clear("a"), source.Mortality, "")) {
		t.Error("an answer that is down, or none, counts as given")
	}
}
