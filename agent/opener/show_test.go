package opener

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// shown is what a screen writes for all records of a world.
func shown(t *testing.T, w *world, s screen) string {
	t.Helper()
	var out strings.Builder
	s.out, s.failed = &out, func(err error) { t.Error(err) }
	if _, err := w.open().Once(t.Context(), s.show); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func mixed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, true)
	w.add(sealing{})
	w.add(sealing{after: func(e *wire.Envelope) { e.Parts[0].Sealed[0] ^= 1 }})
	w.add(sealing{outcome: func(o *proof.Outcome) { o.Level, o.Profile = proof.Medium, "M1C" }})
	return w
}

func TestText(t *testing.T) {
	t.Parallel()
	text := shown(t, mixed(t), screen{})
	for _, want := range []string{
		"record 1: number 1 of agent-7, TRAINING: proves nobody\n",
		"result    proved, level low, profile L1B, NHS P5, provisional\n",
		"agrees    yes, scored again by gpg45-0.4\n",
		"opened    no: it is damaged", "(damaged)\n",
		"result    review, level none, NHS none\n",
		"agrees    NO, scored again by gpg45-0.4: proved, level low, profile L1B",
		"counter   said proved, level medium, profile M1C",
		"HELD      rescored_differently\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	for _, m := range markers {
		if strings.Contains(text, m) {
			t.Errorf("the text tells %s unasked", m)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	text := shown(t, mixed(t), screen{json: true})
	var got []map[string]any
	for line := range strings.Lines(text) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		got = append(got, one)
	}
	if len(got) != 3 {
		t.Fatalf("%d lines, want 3", len(got))
	}
	for _, key := range []string{"seq", "agent", "ref", "result", "level", "profile", "nhs", "provisional", "agrees", "reasons", "training"} {
		for i, one := range got {
			if _, ok := one[key]; !ok {
				t.Errorf("line %d has no %s", i+1, key)
			}
		}
	}
	if got[0]["level"] != "low" || got[0]["agrees"] != true || got[0]["error_kind"] != nil {
		t.Errorf("the good record: %v", got[0])
	}
	if got[1]["error_kind"] != "damaged" || got[1]["level"] != "none" {
		t.Errorf("the damaged record: %v", got[1])
	}
	if got[2]["agrees"] != false || got[2]["level"] != "none" {
		t.Errorf("the record in doubt: %v", got[2])
	}
	for _, m := range markers {
		if strings.Contains(text, m) {
			t.Errorf("a line tells %s unasked", m)
		}
	}
}

// Claims are shown when asked for, marked as what they are.
func TestShowClaims(t *testing.T) {
	t.Parallel()
	for _, s := range []screen{{claims: true}, {claims: true, json: true}} {
		w := mixed(t)
		text := shown(t, w, s)
		for _, want := range []string{"SPECIMEN", "MORGAN WREN", "1985-03-12", "U1234567", "2031-06-30"} {
			if got := strings.Count(text, want); got != 2 {
				t.Errorf("json %t: %s is shown %d times, want once for each record that opened", s.json, want, got)
			}
		}
		if !strings.Contains(strings.ToUpper(text), "PERSONAL") {
			t.Errorf("json %t: nothing marks the personal data", s.json)
		}
		checkTellsNobody(t, w)
	}
}

// No text of a record commands the terminal.
func TestHostileClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	hostile := "A\x1b]0;owned\x07\u009b2J\u202e\xff" + strings.Repeat("B", 5000)
	w.add(sealing{parts: func(parts []packet.Part) []packet.Part {
		var c packet.ClaimsPart
		if err := json.Unmarshal(parts[0].Bytes, &c); err != nil {
			t.Error(err)
		}
		c.Person.Surname.ICAO, c.Documents[0].Number, c.Documents[0].Issuer = hostile, hostile, hostile
		parts[0].Bytes, _ = json.Marshal(c)
		return parts
	}})
	text := shown(t, w, screen{claims: true})
	for _, bad := range []string{"\x1b", "\x07", "\u009b", "\u202e"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q reaches the terminal", bad)
		}
	}
	if len(text) > 2000 {
		t.Errorf("%d bytes are shown for one record", len(text))
	}
}

func TestEveryKindHasASentence(t *testing.T) {
	t.Parallel()
	none := kindText("no such kind")
	for _, k := range []Kind{KindSignature, KindDamaged, KindUnknownKey, KindTraining, KindUnreadable, KindOtherVisit} {
		if kindText(k) == none {
			t.Errorf("kind %s has no sentence", k)
		}
	}
}

// broken fails as a closed pipe does.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A result that reached nobody comes again.
func TestBrokenScreen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	var failed error
	s := screen{out: broken{}, failed: func(err error) { failed = err }}
	s.show(Result{})
	if !errors.Is(failed, io.ErrClosedPipe) {
		t.Errorf("got %v, want the pipe's failure", failed)
	}
}

// command runs one command line and returns what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, log bytes.Buffer
	cmd := Command()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&log)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := command(t, "keygen", "--data", dir, "--suite", "p256")
	if err != nil || strings.Count(text, "\n") != 4 || !strings.HasPrefix(text, "claims   ") || !strings.Contains(text, "p256") {
		t.Errorf("keygen printed %q, %v", text, err)
	}
	if again, err := command(t, "keygen", "--data", dir); err != nil || again != text {
		t.Errorf("keygen again printed %q, %v; want the same keys", again, err)
	}
	if strings.Contains(text, "KEY-----") {
		t.Error("keygen prints private keys")
	}
	for _, args := range [][]string{
		{"run", "--once", "--data", dir}, {"run", "--data", dir, "--policy", "gpg45-99"},
		{"enrol", "--data", dir}, {"enrol", "--data", dir, "--invite", "cpi1:wrong"}, {"run", "--data", dir, "stray"},
	} {
		if _, err := command(t, args...); err == nil {
			t.Errorf("%v succeeded", args)
		}
	}
}
