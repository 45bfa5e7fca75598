package watch

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/emrtd"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// The invented holders of one passport of Utopia: the second is a forgery of the
// first with another name.
var (
	specimen = []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
	forged   = []string{"P<UTOVAUGHN<<TAL<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
)

// visit is one in which somebody showed a passport, with the files of its chip.
func visit(lines []string, sod string, more ...proof.Fact) *packet.Visit {
	var v packet.Visit
	facts := []proof.Fact{
		proof.VisitStarted{Case: "case0001", Record: wire.RecordID{1}.String(), Route: proof.PhotoDocument, Language: "en", Training: true, Policy: gpg45.Default, Site: "FA123"},
		proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true},
		proof.DocumentRead{Source: proof.FromCamera, Lines: lines, Page: "page-3", Portrait: "portrait-3"},
	}
	if sod != "" {
		facts = append(facts, proof.ChipRead{Verdict: proof.ChipGenuine, Clone: proof.CloneExcluded, Access: "PACE-GM", Lines: lines, Files: "chip-4"})
		e := emrtd.Evidence{Files: map[chip.File][]byte{chip.SOD: []byte(sod)}, At: noon}
		v.Chips = []packet.Picture{{ID: "chip-4", JPEG: e.Pack()}}
	}
	for i, f := range append(facts, more...) {
		by := proof.Actor{Kind: proof.ByPerson, ID: "robin"}
		v.Events = append(v.Events, proof.Event{Seq: i + 1, At: noon.Add(time.Duration(i) * time.Second), By: by, Fact: f})
	}
	return &v
}

func open1(t *testing.T, dir string) *Watch {
	t.Helper()
	w, err := Open(dir, Pace{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func take(t *testing.T, w *Watch, seen ...Seen) {
	t.Helper()
	for _, s := range seen {
		if err := w.Take(s); err != nil {
			t.Fatal(err)
		}
	}
}

func kinds(w *Watch) []wire.FlagKind {
	var out []wire.FlagKind
	for _, f := range w.Pending() {
		out = append(out, f.Kind)
	}
	return out
}

// TestTake: each record is held against the others once, also over restarts.
func TestTake(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	first := Seen{Rec: wire.Hash{1}, Index: 1, Counter: "agent-1", At: noon, Visit: visit(specimen, "sod-a")}
	with := func(n byte, change func(*Seen)) Seen {
		s := Seen{Rec: wire.Hash{n}, Index: uint64(n), Counter: "agent-2", At: noon.Add(day), Offset: day, Visit: visit(specimen, "sod-a")}
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		seen []Seen
		want []wire.FlagKind
	}{
		{"first", []Seen{first}, nil},
		{"same-record-again", []Seen{first, first}, nil},
		{"same-person-next-day", []Seen{first, with(2, func(*Seen) {})}, nil},
		{"document-of-two-people", []Seen{first, with(2, func(s *Seen) { s.Visit = visit(forged, "") })}, []wire.FlagKind{wire.FlagDocument}},
		{"chip-in-two-places", []Seen{first, with(2, func(s *Seen) { s.Offset = 0 })}, []wire.FlagKind{wire.FlagChip}},
		{"chip-of-another", []Seen{first, with(2, func(s *Seen) { s.Offset, s.Visit = 0, visit(specimen, "sod-b") })}, nil},
		{"visit-from-two-counters", []Seen{first, with(2, func(s *Seen) { s.First, s.Offset = wire.Hash{1}, 0 })}, []wire.FlagKind{wire.FlagTwice}},
		{"defect", []Seen{with(2, func(s *Seen) { s.Visit, s.Defect = nil, true }), with(2, func(s *Seen) { s.Visit, s.Defect = nil, true })}, []wire.FlagKind{wire.FlagDefect}},
		{"defect-that-opens", []Seen{first, with(2, func(s *Seen) { s.Visit, s.Defect = visit(forged, ""), true })}, []wire.FlagKind{wire.FlagDefect, wire.FlagDocument}},
		{"shut", []Seen{with(2, func(s *Seen) { s.Visit = nil })}, nil},
		{"abandoned", []Seen{first, with(2, func(s *Seen) { s.Visit = visit(forged, "", proof.VisitAbandoned{Reason: proof.PatientLeft}) })}, nil},
		{"policy-unknown", []Seen{first, with(2, func(s *Seen) {
			s.Visit = visit(forged, "")
			begin := s.Visit.Events[0].Fact.(proof.VisitStarted)
			begin.Policy = "gpg45-99"
			s.Visit.Events[0].Fact = begin
		})}, []wire.FlagKind{wire.FlagDocument}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w := open1(t, dir)
			take(t, w, c.seen...)
			if got := kinds(w); !slices.Equal(got, c.want) {
				t.Errorf("flags %v, want %v", got, c.want)
			}
			for _, f := range w.Pending() {
				if f.Check() != nil {
					t.Errorf("flag %+v", f)
				}
			}
			_ = w.Close()

			// One process for each record finds the same.
			dir = t.TempDir()
			for _, s := range c.seen {
				w := open1(t, dir)
				take(t, w, s, s)
				_ = w.Close()
			}
			w = open1(t, dir)
			if got := kinds(w); !slices.Equal(got, c.want) {
				t.Errorf("with restarts: flags %v, want %v", got, c.want)
			}
		})
	}
}

// TestPosted: what the centre took is not posted again, also after a restart, and
// what it did not take is.
func TestPosted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open1(t, dir)
	for i := range byte(3) {
		take(t, w, Seen{Rec: wire.Hash{i + 1}, Index: uint64(i + 1), At: noon, Defect: true})
	}
	for _, n := range []int{-1, 0, 4} {
		if w.Posted(n) == nil {
			t.Errorf("%d of 3 flags were posted", n)
		}
	}
	if err := w.Posted(2); err != nil || len(w.Pending()) != 1 || w.Pending()[0].Records[0] != (wire.Hash{3}) {
		t.Errorf("%v, pending %+v", err, w.Pending())
	}
	_ = w.Close()
	if again := open1(t, dir); len(again.Pending()) != 1 {
		t.Errorf("after a restart %d are pending", len(again.Pending()))
	}
}

// TestDisk: the list tells nobody's name, and one that was changed stops the start.
func TestDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open1(t, dir)
	take(t, w, Seen{Rec: wire.Hash{1}, Index: 1, Counter: "agent-1", At: noon, Visit: visit(specimen, "sod-a")},
		Seen{Rec: wire.Hash{2}, Index: 2, Counter: "agent-1", At: noon, Visit: visit(forged, "sod-b")})
	_ = w.Close()
	path := filepath.Join(dir, folder, "ledger.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"SPECIMEN", "MORGAN", "VAUGHN", "U1234567", "1985", "FA123", "robin", "sod-"} {
		if strings.Contains(string(text), word) {
			t.Errorf("the list tells %s", word)
		}
	}
	if !bytes.Contains(text, []byte(`"document_two_people"`)) {
		t.Error("the search is blind")
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte("document_two_people"), []byte("visit_twice"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Pace{}); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("a changed list: %v", err)
	}
}

// TestDiskFull: what is not on the disk was not done.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := open1(t, t.TempDir())
	w.ledger.Write = func([]byte, []byte) error { return errors.New("full") }
	if err := w.Take(Seen{Rec: wire.Hash{1}, At: noon, Defect: true}); err == nil || len(w.Pending()) != 0 {
		t.Errorf("%v, %d pending", err, len(w.Pending()))
	}
	if err := w.Take(Seen{Rec: wire.Hash{2}, At: noon, Visit: visit(specimen, "")}); err == nil {
		t.Error("a trace that was not kept was not told")
	}
}

// FuzzChipOf: the files of a chip are hostile.
func FuzzChipOf(f *testing.F) {
	f.Add(visit(specimen, "sod-a").Chips[0].JPEG)
	f.Add([]byte(`{"schema":"counterproof/chip/1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := chipOf([]packet.Picture{{ID: "a", JPEG: b}}, "a"); got != nil && len(got) != 32 {
			t.Errorf("a chip is named %x", got)
		}
		if chipOf([]packet.Picture{{ID: "a", JPEG: b}}, "b") != nil {
			t.Error("another file names the chip")
		}
	})
}
