package opener

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/opener/vault"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// backdated makes the keys of this world into a set of a month.
func (w *world) backdated(month string) {
	w.t.Helper()
	for _, part := range vault.Parts() {
		from := filepath.Join(w.dir, "keys", string(part))
		if err := os.Rename(from+".key", from+"."+month+".key"); err != nil {
			w.t.Fatal(err)
		}
	}
}

// command runs a command of the opener on this world's folder.
func (w *world) command(typed string, args ...string) (string, error) {
	w.t.Helper()
	if w.last != nil {
		_ = w.last.Close()
		w.last = nil
	}
	var out bytes.Buffer
	cmd := Command()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetIn(strings.NewReader(typed))
	cmd.SetArgs(append(args, "--data", w.dir))
	err := cmd.ExecuteContext(w.t.Context())
	return out.String(), err
}

// TestShredding: of a record whose evidence is destroyed everything else still
// opens, and the centre's log is told.
func TestShredding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.backdated("2025-01")
	w.add(sealing{})
	if r := w.once()[0]; !r.Agrees || len(r.Erased) != 0 {
		t.Fatalf("before: %+v", r)
	}
	if out, err := w.command("2025-02\n", "shred", "--month", "2025-01", "--part", "evidence"); err == nil || strings.Contains(out, "are destroyed\n") {
		t.Errorf("another month was typed: %s, %v", out, err)
	}
	if _, err := w.command("", "shred", "--month", vault.MonthOf(time.Now()), "--yes"); err == nil {
		t.Error("the keys of this month were destroyed")
	}
	if _, err := w.command("2025-01\n", "shred", "--month", "2025-01"); err == nil {
		t.Error("the audit part was destroyed within seven years")
	}
	out, err := w.command("2025-01\n", "shred", "--month", "2025-01", "--part", "evidence")
	if err != nil || !strings.Contains(out, "1 keys are destroyed") {
		t.Fatalf("%s, %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "keys", "evidence.2025-01.key")); !errors.Is(err, os.ErrNotExist) {
		t.Error("the key file is still there")
	}
	w.rewind()
	r := w.once()[0]
	if !r.Agrees || r.Kind != KindNone || len(r.Findings) != 0 || !slices.Equal(r.Erased, []wire.PartName{wire.PartEvidence}) || len(r.Shut) != 0 {
		t.Errorf("after: %+v", r)
	}
	if v, ok := r.Visit(); !ok || v.Claims.Person.Surname.ICAO != "SPECIMEN" || len(v.Pictures) != 0 {
		t.Errorf("claims and audit do not open: %t", ok)
	}
	evidence := w.keys[slices.IndexFunc(w.keys, func(k wire.Recipient) bool { return k.Part == wire.PartEvidence })]
	if len(w.leaves) != 1 || w.leaves[0].Subject != wire.HashOf(evidence.Public) || w.leaves[0].By != "agent-opener" {
		t.Errorf("the centre's log was told %+v", w.leaves)
	}
	w.rewind()
	if w.once(); len(w.leaves) != 1 {
		t.Error("it was told twice")
	}
	if out, err := w.command("", "keys", "list"); err != nil || strings.Contains(out, "2025-01 evidence") || !strings.Contains(out, "2025-01 audit") {
		t.Errorf("the keys: %s, %v", out, err)
	}
}

// TestErased: a record without claims or audit is erased, which is no defect that a
// site hears of; so is one that the centre erased.
func TestErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.backdated("2010-01")
	w.add(sealing{})
	w.add(sealing{})
	w.records[1].Erased = true
	for i := range w.records[1].Envelope.Parts {
		w.records[1].Envelope.Parts[i].Sealed = nil
	}
	if _, err := w.command("2010-01\n", "shred", "--month", "2010-01"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.open().Once(t.Context(), nil); !errors.Is(err, errNoKeys) {
		t.Errorf("without any key: %v", err)
	}
	_ = w.last.Close()
	if _, err := Keygen(w.dir, seal.Classical); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.once() {
		if r.Kind != KindErased || r.Level != "none" || len(r.Findings) != 0 {
			t.Errorf("record %d: kind %q, %+v", r.LogIndex, r.Kind, r.Verdict)
		}
		var text strings.Builder
		if err := writeText(&text, r, nil); err != nil || !strings.Contains(text.String(), "erased") {
			t.Errorf("shown as %s, %v", text.String(), err)
		}
	}
	if len(w.flags) != 0 {
		t.Errorf("flags %+v, want none", w.flags)
	}
}

// TestMonths: the set of a month is handed out once, when it begins, and the older
// keys go on opening.
func TestMonths(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	w.once()
	if w.handed != nil {
		t.Error("standing keys are handed out without being told to")
	}
	if out, err := w.command("", "keys", "make"); err != nil || strings.Count(out, "\n") != 12 || strings.Count(out, "in force") != 4 {
		t.Fatalf("%s, %v", out, err)
	}
	w.rewind()
	if r := w.once()[0]; !r.Agrees {
		t.Errorf("an older key: %+v", r)
	}
	first := w.handed
	if len(first) != 4 || first[0].Key == w.keys[0].Key {
		t.Fatalf("handed out are %d keys", len(first))
	}
	w.handed = nil
	o := w.open()
	if _, err := o.Once(t.Context(), nil); err != nil || w.handed != nil {
		t.Errorf("the same keys were handed out again: %v", err)
	}
	next := time.Now().AddDate(0, 1, 0)
	if err := o.turn(t.Context(), next); err != nil || len(w.handed) != 4 || w.handed[0].Key == first[0].Key {
		t.Errorf("the next month: %d keys, %v", len(w.handed), err)
	}
	if err := o.turn(t.Context(), next); err != nil || len(o.vault.Keys(next)) != 16 {
		t.Errorf("the month after it is not made ahead: %d keys, %v", len(o.vault.Keys(next)), err)
	}
	w.keys = w.handed
	w.add(sealing{})
	if r := w.once(); len(r) != 1 || !r[0].Agrees {
		t.Errorf("sealed to the new set: %+v", r)
	}
}

// TestFlagsArePosted: what people should look at is told once, and again after a
// failure; no record waits for it.
func TestFlagsArePosted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{name: 9})
	w.add(sealing{name: 9})
	w.add(sealing{after: func(e *wire.Envelope) { e.Parts[0].Sealed[0] ^= 1 }})
	w.closed = &wire.Error{Op: "flagging", Kind: wire.KindUnreachable}
	if got := w.once(); len(got) != 3 || !slices.Equal(got[1].Findings, []Finding{DuplicateVisit}) || got[2].Kind != KindDamaged {
		t.Fatalf("%d records were taken", len(got))
	}
	if len(w.flags) != 0 {
		t.Fatal("the office was closed")
	}
	w.closed = nil
	w.once()
	want := []wire.Flag{
		{Kind: wire.FlagTwice, Records: []wire.Hash{w.records[0].Receipt.RecHash, w.records[1].Receipt.RecHash}},
		{Kind: wire.FlagDefect, Records: []wire.Hash{w.records[2].Receipt.RecHash}},
	}
	if len(w.flags) != 2 || w.flags[0].Hash() != want[0].Hash() || w.flags[1].Hash() != want[1].Hash() {
		t.Errorf("flags %+v", w.flags)
	}
	w.rewind()
	if w.once(); len(w.flags) != 2 {
		t.Error("flags were posted twice")
	}
}

// TestChain: a record that does not follow the one before it is held, and people are
// asked to look; a gap may be a record that the centre refused.
func TestChain(t *testing.T) {
	t.Parallel()
	at := func(seq wire.Seq, prev wire.Hash) sealing {
		return sealing{header: func(h *wire.Header, p []wire.Part) []wire.Part {
			h.Seq = seq
			if prev != (wire.Hash{}) {
				h.Prev = prev
			}
			return p
		}}
	}
	for _, c := range []struct {
		name   string
		second sealing
		broken bool
	}{
		{"follows", sealing{}, false},
		{"gap", at(5, wire.Hash{5}), false},
		{"other-predecessor", at(2, wire.Hash{5}), true},
		{"same-number", at(1, wire.Hash{}), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, restart := range []bool{false, true} {
				w := newWorld(t, true)
				w.add(sealing{})
				if restart {
					w.once()
				}
				w.add(c.second)
				got := w.once()
				r := got[len(got)-1]
				if slices.Contains(r.Findings, check.ChainBroken) != c.broken || c.broken != (len(w.flags) == 1) {
					t.Errorf("restart %t: findings %v, %d flags", restart, r.Findings, len(w.flags))
				}
				w.rewind()
				again := w.once()
				held := func(r Result) bool { return slices.Contains(r.Findings, check.ChainBroken) }
				if len(w.flags) > 1 || held(again[0]) || held(again[1]) != c.broken {
					t.Errorf("restart %t: come again, %v and %v are held", restart, again[0].Findings, again[1].Findings)
				}
			}
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"empty", "{}", true},
		{"set", `{"retention_days":{"evidence":40},"pace":{"clerk_hour":5}}`, true},
		{"too-short", `{"retention_days":{"evidence":1}}`, false},
		{"no-such-part", `{"retention_days":{"faces":90}}`, false},
		{"no-such-word", `{"retention":{"evidence":90}}`, false},
		{"no-json", `retention: 90`, false},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, settingsFile), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := readSettings(dir)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.name == "set" && (s.Retention[wire.PartEvidence] != 40 || s.Pace.ClerkHour != 5) {
			t.Errorf("%+v", s)
		}
		o, err := Open(Config{Dir: dir})
		if (err == nil) != c.ok {
			t.Errorf("%s: opening: %v", c.name, err)
		}
		if err == nil {
			_ = o.Close()
		}
	}
}

// TestPartOfAnotherRecord: whoever holds a counter's key can put a sealed part of
// another patient's record into their own and sign that. It stays shut, and people
// are asked to look.
func TestPartOfAnotherRecord(t *testing.T) {
	t.Parallel()
	for i, part := range []wire.PartName{wire.PartClaims, wire.PartAudit, wire.PartEvidence} {
		w := newWorld(t, true)
		first := w.add(sealing{})
		other, err := wire.DecodeHeader(first.Envelope.Header)
		if err != nil {
			t.Fatal(err)
		}
		second := w.add(sealing{header: func(h *wire.Header, parts []wire.Part) []wire.Part {
			h.Parts[i], parts[i] = other.Parts[i], first.Envelope.Parts[i]
			return parts
		}})
		got := w.once()
		if other.Parts[i].Name != part || got[0].Kind != KindNone || got[1].Kind != KindDamaged || got[1].Level != "none" {
			t.Errorf("%s: kinds %q and %q", part, got[0].Kind, got[1].Kind)
		}
		if len(w.flags) != 1 || w.flags[0].Kind != wire.FlagDefect || w.flags[0].Records[0] != second.Receipt.RecHash {
			t.Errorf("%s: flags %+v", part, w.flags)
		}
	}
}
