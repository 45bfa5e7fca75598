package clerk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

func TestMayManage(t *testing.T) {
	t.Parallel()
	boss, kim := proof.Operator{ID: "boss", Role: proof.Supervisor}, proof.Operator{ID: "kim", Role: proof.Clerk}
	for _, c := range []struct {
		rule string
		by   proof.Operator
		whom proof.OperatorID
		want proof.Kind
	}{
		{"supervisor/clerk", boss, "kim", proof.KindNone},
		{"supervisor/other supervisor", boss, "second", proof.KindNone},
		{"supervisor/self", boss, "boss", proof.KindOwnAccount},
		{"clerk/supervisor", kim, "boss", proof.KindNotAllowed},
		{"clerk/self", kim, "kim", proof.KindNotAllowed},
		{"nobody", proof.Operator{}, "kim", proof.KindNotAllowed},
	} {
		if got := clerk.MayManage(c.by, c.whom); got != c.want {
			t.Errorf("%s: got %q, want %q", c.rule, got, c.want)
		}
	}
}

func TestGoodTraining(t *testing.T) {
	t.Parallel()
	today := proof.Date{Year: 2026, Month: 11, Day: 22}
	summer := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC) // the 2nd by the clock on the wall
	if !clerk.GoodTraining(proof.Training{Impostor: proof.Date{Year: 2026, Month: 7, Day: 2}}, summer) {
		t.Error("today is not good just after midnight in summer")
	}
	for _, c := range []struct {
		rule string
		day  proof.Date
		want bool
	}{
		{"never", proof.Date{}, true},
		{"today", today, true},
		{"tomorrow", proof.Date{Year: 2026, Month: 11, Day: 23}, false},
		{"a far year would count for ever", proof.Date{Year: 9999, Month: 1, Day: 1}, false},
		{"no such day", proof.Date{Year: 2025, Month: 2, Day: 29}, false},
		{"leap day", proof.Date{Year: 2024, Month: 2, Day: 29}, true},
		{"a month alone is no day", proof.Date{Year: 2025, Month: 2}, false},
		{"before anybody's time", proof.Date{Year: 26, Month: 1, Day: 1}, false},
	} {
		for _, training := range []proof.Training{{Impostor: c.day}, {Document: c.day}, {UVIR: c.day}} {
			if got := clerk.GoodTraining(training, now); got != c.want {
				t.Errorf("%s: %+v is %t, want %t", c.rule, training, got, c.want)
			}
		}
	}
}

func TestGoodRole(t *testing.T) {
	t.Parallel()
	for role, want := range map[proof.Role]bool{proof.Clerk: true, proof.Supervisor: true, "": false, "root": false} {
		if clerk.GoodRole(role) != want {
			t.Errorf("role %q is %t", role, !want)
		}
	}
}

func TestCodesAreWrittenAndReadAlike(t *testing.T) {
	t.Parallel()
	code := clerk.WriteCode([clerk.CodeBytes]byte{0, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xff})
	if len(code) != 19 || strings.Count(code, "-") != 3 || strings.ContainsAny(code, "il1o") {
		t.Errorf("the code reads %q", code)
	}
	want := clerk.ReadCode(code)
	for _, typed := range []string{strings.ToUpper(code), strings.ReplaceAll(code, "-", " "), " " + strings.ReplaceAll(code, "-", "") + "\n"} {
		if got := clerk.ReadCode(typed); got != want || len(got) != 16 {
			t.Errorf("%q reads %q, want %q", typed, got, want)
		}
	}
	if clerk.ReadCode(strings.Repeat("a", clerk.MaxSecret+1)) != "" {
		t.Error("a code without bound is read")
	}
	seen := map[string]bool{}
	for i := range 256 {
		var b [clerk.CodeBytes]byte
		b[9] = byte(i)
		seen[clerk.WriteCode(b)] = true
	}
	if len(seen) != 256 {
		t.Errorf("%d codes of 256: some bits are lost", len(seen))
	}
}
