package screen_test

import (
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// types writes into what has the focus.
func types(st *stage, text string) {
	for _, r := range text {
		st.window.Canvas().Focused().TypedRune(r)
	}
}

// tabTo presses tab until the field with a label has the focus.
func tabTo(t *testing.T, st *stage, label string) {
	t.Helper()
	f := find[*parts.Field](t, st, label)
	for range controls(st) + 1 {
		if slices.Contains(f.States(), "focused") {
			return
		}
		st.window.Canvas().FocusNext()
	}
	t.Fatalf("tab does not reach %q", label)
}

func TestKeyOneStillBeginsAPassport(t *testing.T) {
	s := inVisit("en")
	s.Visit = nil
	st := put(t, s, 1, room)
	hold(st, fyne.Key1)
	hold(st, fyne.Key4)
	if len(st.did) != 2 || st.did[0].Route != proof.PhotoDocument || st.did[1].Route != proof.Vouching {
		t.Fatalf("1 and 4 did %+v", st.did)
	}
	tabTo(t, st, "Reference of an earlier visit")
	types(st, "cp-1")
	if len(st.did) != 2 {
		t.Error("a digit in the reference began a visit")
	}
	if got := form.Visit(st.form, proof.Vouching); got.Continues != "CP-1" {
		t.Errorf("continues %q", got.Continues)
	}
}

func TestAClaimIsTypedByKeyboardAlone(t *testing.T) {
	s := inVisit("en", proof.Ask{Kind: proof.ClaimIdentity})
	st := put(t, s, 1, room)
	types(st, "Specimen")
	st.window.Canvas().FocusNext()
	types(st, "Nia")
	st.window.Canvas().FocusNext()
	types(st, "12/08/1984")
	st.window.Canvas().FocusNext()
	hold(st, fyne.KeyDown) // from "not told" to F
	hold(st, fyne.KeyF9)
	tabTo(t, st, "Postcode")
	types(st, "ls1 4ap")
	hold(st, fyne.KeyReturn)
	if len(st.did) != 2 || st.did[0].Answer.Do != api.DoConcern || st.did[1].Answer.Ask != proof.ClaimIdentity {
		t.Fatalf("did %+v", st.did)
	}
	a, hint := form.Answer(st.did[1].Answer, st.form, s.Visit)
	want := api.Identity{Surname: "Specimen", Given: "Nia", Birth: proof.Date{Year: 1984, Month: 8, Day: 12}, Sex: "F", Postcode: "LS1 4AP"}
	if hint != (form.Hint{}) || *a.Identity != want {
		t.Errorf("%v: %+v", hint, a.Identity)
	}
}

func TestTheTableByTicks(t *testing.T) {
	s := inVisit("en", proof.Ask{Kind: proof.ChooseEvidence})
	s.Visit.Choices, s.Visit.Plans = choices(), plans()
	st := put(t, s, 1, room)
	for _, label := range []string{"UK photocard driving licence: Here", "Birth certificate: At home"} {
		st.window.Canvas().Focus(find[*parts.Toggle](t, st, label))
		hold(st, fyne.KeySpace)
	}
	hold(st, fyne.Key1)
	hold(st, fyne.Key2)
	if len(st.did) != 2 || st.did[0].Answer.Do != api.DoTable || st.did[1].Answer.Type != proof.UKLicence {
		t.Fatalf("did %+v", st.did)
	}
	a, hint := form.Answer(st.did[0].Answer, st.form, s.Visit)
	if hint != (form.Hint{}) || fmt.Sprint(a.Table.Here, a.Table.Home) != "[uk_dl] [birth_cert]" {
		t.Errorf("%v: %+v", hint, a.Table)
	}
}

func TestWhatIsSuspectedIsShownOnlyWhereSomethingStands(t *testing.T) {
	s := inVisit("en", proof.Ask{Kind: proof.EnterEvidence})
	s.Chosen, s.Problem, s.Visit.Prefill = proof.UKLicence, proof.KindNumberWrong, &api.Fields{Number: "MORGA753116SM9IJ"}
	st := put(t, s, 1, room)
	states := func(label string) string { return fmt.Sprint(find[*parts.Field](t, st, label).States()) }
	if got := states("Driver number (field 5)"); got != "[focusable editable invalid]" {
		t.Errorf("the number is %s", got)
	}
	if got := states("Postcode"); got != "[focusable editable]" {
		t.Errorf("the empty postcode is %s", got)
	}
	st.ToWrong()
	if got := states("Driver number (field 5)"); got != "[focusable editable focused invalid]" {
		t.Errorf("the number is %s", got)
	}
	test.Tap(find[*parts.Toggle](t, st, "I have looked again: it is as printed"))
	if a, _ := form.Answer(api.Answer{Ask: proof.EnterEvidence}, st.form, s.Visit); !a.Fields.Sure || a.Fields.Number != "MORGA753116SM9IJ" {
		t.Errorf("%+v", a.Fields)
	}
}

func TestNewsByArrowsAndDigits(t *testing.T) {
	s := inVisit("en")
	s.Visit, s.Notices, s.Side = nil, news(), view.SideNotices
	st := put(t, s, 1, room)
	hold(st, fyne.KeyDown)
	hold(st, fyne.Key2)
	if len(st.did) != 1 || st.did[0].Verb != view.DoNotice || !st.did[0].Print {
		t.Fatalf("did %+v", st.did)
	}
	if got, _ := form.Notice(st.form, true); got.ID != 3 {
		t.Errorf("the arrow chose %d", got.ID)
	}
}

func TestDigitsNeverChooseAScore(t *testing.T) {
	s := inVisit("en", proof.Ask{Kind: proof.GiveFeedback}, proof.Ask{Kind: proof.ConfirmResult})
	s.Visit.Outcome = outcome()
	st := put(t, s, 1, room)
	hold(st, fyne.Key5)
	hold(st, fyne.Key3)
	if len(st.did) != 0 {
		t.Errorf("digits of scores did %+v", st.did)
	}
	hold(st, fyne.KeyUp) // from none: the last
	if got := st.form.Text("score"); got != "5" {
		t.Errorf("the arrow chose %q", got)
	}
}
