package casework

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// path is a file of the rig's folder.
func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

// put writes a file of the rig's folder.
func (r *rig) put(name string, b []byte) {
	r.t.Helper()
	if err := os.WriteFile(r.path(name), b, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// Whoever takes a tag off the limit list, or the holding of a case, stops the
// start.
func TestLimitListIsHeld(t *testing.T) {
	t.Parallel()
	for _, word := range []string{`"documents"`, `"step":"review"`, `same_document_twice`} {
		t.Run(strings.Trim(word, `"`), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.send(carded(unknown, "G1")(t))
				r.send(carded(pike, "G1")(t))
				r.settle()
				_ = r.w.Close()
				text, err := os.ReadFile(r.path("ledger.jsonl"))
				if err != nil {
					t.Fatal(err)
				}
				kept := slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(row string) bool { return strings.Contains(row, word) })
				r.put("ledger.jsonl", []byte(strings.Join(kept, "")))
				if _, err := Open(r.cfg); !errors.Is(err, ledger.ErrTampered) {
					t.Errorf("without the lines of %s it opens: %v", word, err)
				}
				r.put("ledger.jsonl", text)
				r.open()
			})
		})
	}
}

// A ledger of a later version is not guessed at.
func TestLinesOfNoCase(t *testing.T) {
	t.Parallel()
	b := newBook()
	for _, text := range []string{`{"step":"closed","rec":"` + strings.Repeat("0", 64) + `"}`, `{"step":1}`, ``} {
		if err := b.read([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// After one failed write nothing more is added until the ledger was read again.
func TestNothingIsAddedAfterAFailure(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		full := errors.New("no space")
		r.w.ledger.Write = func(_, _ []byte) error { return full }
		if err := r.w.Take(r.archive.add(t, of("photo-proved", morgan)(t))); !errors.Is(err, full) {
			t.Fatalf("a full disk is %v", err)
		}
		r.w.ledger.Write = func(_, _ []byte) error { return nil }
		if err := r.w.Take(r.archive.open(t, 1)); !errors.Is(err, full) {
			t.Errorf("after a failure: %v", err)
		}
		r.open()
		if err := r.w.Take(r.archive.open(t, 1)); err != nil {
			t.Error(err)
		}
	})
}

// The list of reviews may be read beside whoever works there.
func TestReviewsBesideAWorker(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		if held, err := Reviews(t.TempDir()); err != nil || len(held) != 0 {
			t.Errorf("an empty folder has %v, %v", held, err)
		}
		ref := r.send(of("photo-review", morgan)(t))
		r.settle()
		held, err := Reviews(r.dir)
		if err != nil || len(held) != 1 || held[0].Ref != ref || held[0].Agent != "agent-7" || !slices.Equal(held[0].Codes, []proof.Code{proof.SentToTeam}) {
			t.Errorf("people see %+v, %v", held, err)
		}
		r.decide(ref, wire.NoticeReviewFailed)
		if held, err := Reviews(r.dir); err != nil || len(held) != 0 {
			t.Errorf("after the decision they see %v, %v", held, err)
		}
	})
}

// Decisions that fit nothing are dropped; a reference that two cases have needs
// the counter.
func TestDecisionsThatDoNotFit(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var ref wire.Ref
		for _, agent := range []wire.AgentID{"agent-7", "agent-8"} {
			v := of("photo-review", morgan)(t)
			v.name, v.agent = 9, agent
			ref = r.send(v)
		}
		r.settle()
		for name, text := range map[string]string{
			"a": "{", "b": `{"ref":"x","kind":"review_passed"}`, "c": `{"ref":"` + string(ref) + `","kind":"nhs_p9"}`,
			"d": `{"ref":"` + string(ref) + `","kind":"review_passed","by":"two words"}`, "e": strings.Repeat("x", maxDecision+1),
		} {
			r.put(filepath.Join(rulingFolder, name+".json"), []byte(text))
		}
		r.put(filepath.Join(rulingFolder, "note.txt"), []byte("not for the program"))
		r.decide(ref, wire.NoticeReviewPassed)
		r.expect(ref, "review_open")
		if left, err := os.ReadDir(r.path(rulingFolder)); err != nil || len(left) != 1 {
			t.Errorf("%d files are left, %v", len(left), err)
		}
		if err := Decide(r.dir, Decision{Ref: ref, Agent: "agent-8", Kind: wire.NoticeReviewPassed}); err != nil {
			t.Fatal(err)
		}
		r.settle()
		if a, b := r.w.book.refs[ref][0], r.w.book.refs[ref][1]; a.passed || !b.passed {
			t.Errorf("passed: %t and %t, want the second", a.passed, b.passed)
		}
	})
}

func TestDecisionsThatNobodyCanTake(t *testing.T) {
	t.Parallel()
	ref := wire.RecordID{1}.Ref()
	for name, d := range map[string]Decision{
		"no-reference": {Kind: wire.NoticeReviewPassed}, "no-kind": {Ref: ref}, "an-outcome": {Ref: ref, Kind: wire.NoticeNHSP9},
		"path": {Ref: "../../etc", Kind: wire.NoticeReviewPassed}, "sentence": {Ref: ref, Kind: wire.NoticeReviewPassed, By: "a b"},
	} {
		if err := Decide(t.TempDir(), d); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Whatever lies in the folder of decisions, it is one or none.
func FuzzDecision(f *testing.F) {
	text, err := json.Marshal(Decision{Ref: wire.RecordID{1}.Ref(), Kind: wire.NoticeReviewPassed, By: "lead.1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"ref":"../..","kind":"review_passed"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := parseDecision(text)
		if err == nil && (d.check() != nil || strings.ContainsAny(string(d.Ref)+d.By, "/\\\n")) {
			t.Errorf("%q is a decision", text)
		}
		if err != nil && !errors.Is(err, errNoFit) {
			t.Errorf("%v stops the work", err)
		}
	})
}
