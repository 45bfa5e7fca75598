package window

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/view"
)

// begins signs in and begins a visit by the digit of its route.
func begins(t *testing.T, route fyne.KeyName, asks ...[]proof.Ask) (*counter, *seat) {
	t.Helper()
	c, socket := newCounter(t)
	c.asks = asks
	s := sit(t, socket)
	s.signsIn()
	s.on("home")
	s.digit(route)
	return c, s
}

func TestEveryRouteBeginsByItsDigit(t *testing.T) {
	for key, want := range map[fyne.KeyName]proof.RouteName{
		fyne.Key1: proof.PhotoDocument, fyne.Key2: proof.DrivingLicence, fyne.Key3: proof.AnyEvidence, fyne.Key4: proof.Vouching,
		fyne.Key5: proof.PracticeDetails, fyne.Key6: proof.ProxyAccess, fyne.Key7: proof.ClaimAccount,
	} {
		c, s := begins(t, key, one(proof.AskProofingConsent))
		s.on("consent_proofing")
		if len(c.begun) != 1 || c.begun[0].Route != want || c.begun[0].Continues != "" {
			t.Errorf("%s began %+v", key, c.begun)
		}
	}
}

func TestAVisitGoesOnFromItsSlip(t *testing.T) {
	c, socket := newCounter(t)
	c.asks = [][]proof.Ask{one(proof.AskProofingConsent)}
	s := sit(t, socket)
	s.signsIn()
	s.on("home")
	s.form.SetText("continues", "CP-7K2M-49QY")
	c.mu.Lock()
	c.problem = proof.KindRefWrong
	c.mu.Unlock()
	s.digit(fyne.Key3)
	s.until("the problem", func() bool { return s.state.Problem == proof.KindRefWrong && !s.state.Busy })
	if s.form.Text("continues") != "CP-7K2M-49QY" || s.page.Name != "home" {
		t.Errorf("on %s the reference reads %q", s.page.Name, s.form.Text("continues"))
	}
	s.form.SetText("continues", "CP-7K2M-49QX")
	s.digit(fyne.Key3)
	s.on("consent_proofing")
	if c.begun[0].Continues != "CP-7K2M-49QX" || s.form.Text("continues") != "" {
		t.Errorf("began %+v, and the next screen still has %q", c.begun, s.form.Text("continues"))
	}
}

func TestALicenceThatDoesNotFitIsLookedAtAgain(t *testing.T) {
	c, s := begins(t, fyne.Key2, one(proof.EnterEvidence), one(proof.ExamineDocument))
	s.on("enter_evidence")
	if title := s.shown.Base().Title; title != "Type the details: UK photocard driving licence" {
		t.Errorf("the title is %q", title)
	}
	s.digit(fyne.Key1)
	if s.state.Hint.Field != "surname" || len(c.answers) != 0 {
		t.Errorf("an empty form: hint %v, %d answers", s.state.Hint, len(c.answers))
	}
	s.form.SetText("surname", "MORGAN")
	s.form.SetText("number", "MORGA753116SM9IJ")
	c.mu.Lock()
	c.problem = proof.KindNumberWrong
	c.mu.Unlock()
	s.digit(fyne.Key1)
	s.until("the problem", func() bool { return s.state.Problem == proof.KindNumberWrong && !s.state.Busy })
	if s.form.Text("number") != "MORGA753116SM9IJ" {
		t.Error("what was typed is gone")
	}
	if s.page.Focused() < 0 || s.page.Offset() == 0 {
		t.Errorf("focus %d at %.0f: the wrong field is not shown", s.page.Focused(), s.page.Offset())
	}
	s.form.SetTick("sure", true)
	s.win.Canvas().Unfocus()
	s.digit(fyne.Key1)
	s.on("examine")
	if got := c.answers[1].Fields; !got.Sure || got.Number != "MORGA753116SM9IJ" || c.answers[0].Fields.Sure {
		t.Errorf("sent %+v", got)
	}
	if s.form.Text("surname") != "" || s.form.Ticked("sure") {
		t.Error("what was typed outlives its screen")
	}
}

func TestHintsComeToTheTopOfALongPage(t *testing.T) {
	_, s := begins(t, fyne.Key4, one(proof.GiveVouch))
	s.on("give_vouch")
	s.page.ScrollTo(900)
	s.digit(fyne.Key1) // no occupation chosen: no field to point at
	if s.state.Hint.Field != "occupation" || s.page.Offset() != 0 {
		t.Fatalf("hint %v at %.0f", s.state.Hint, s.page.Offset())
	}
	s.page.ScrollTo(900)
	s.state.Status.Queue.Waiting = 5 // something else changes
	s.render()
	if s.page.Offset() != 900 {
		t.Errorf("an old hint scrolled the page to %.0f", s.page.Offset())
	}
	s.digit(fyne.Key1)
	if s.page.Offset() != 0 {
		t.Errorf("the same hint again stands at %.0f", s.page.Offset())
	}
}

func TestTheTableThenAKindThenItsDetails(t *testing.T) {
	c, s := begins(t, fyne.Key3, one(proof.AskProofingConsent), one(proof.ChooseEvidence), one(proof.EnterEvidence))
	s.on("consent_proofing")
	s.digit(fyne.Key1)
	s.on("choose_evidence")
	s.digit(fyne.Key1)
	if s.state.Hint.Key != "form.evidence.none" {
		t.Fatalf("hint %v", s.state.Hint)
	}
	s.form.SetTick("here.uk_dl", true)
	s.digit(fyne.Key1)
	s.until("the ways", func() bool { e, ok := s.shown.(view.Evidence); return ok && len(e.Ways) == 1 && !s.state.Busy })
	if !s.form.Ticked("here.uk_dl") || s.state.Said != "ask.choose_evidence.said" {
		t.Errorf("ticked %v, said %q", s.form.Ticked("here.uk_dl"), s.state.Said)
	}
	s.digit(fyne.Key2)
	s.on("enter_evidence")
	if title := s.shown.Base().Title; title != "Type the details: UK photocard driving licence" {
		t.Errorf("the title is %q", title)
	}
	if got := fmt.Sprintf("%s %v %s", c.answers[1].Do, c.answers[1].Table.Here, c.answers[2].Type); got != "table [uk_dl] uk_dl" {
		t.Errorf("answers %s", got)
	}
}

func TestScanningShowsTheCamera(t *testing.T) {
	c, s := begins(t, fyne.Key2, []proof.Ask{{Kind: proof.ScanEvidence}, {Kind: proof.EnterEvidence}}, one(proof.EnterEvidence))
	s.on("capture_evidence")
	s.digit(fyne.Key1)
	s.until("camera's screen", func() bool { return s.page.Name == "capture_evidence_running" })
	c.captured <- true
	s.on("enter_evidence")
	if s.preview != nil {
		t.Error("the moving picture goes on")
	}
}

func TestASecondPersonSigns(t *testing.T) {
	c, s := begins(t, fyne.Key1, one(proof.SecondPerson), one(proof.ExamineDocument))
	s.on("second_person")
	s.form.SetText("operator", "kim")
	s.form.SetText("secret", "314159")
	s.digit(fyne.Key1)
	if len(c.seconds) != 0 || s.state.Hint.Field != "second" {
		t.Fatalf("without an answer: %d sent, hint %v", len(c.seconds), s.state.Hint)
	}
	s.form.SetText("second", "yes")
	c.mu.Lock()
	c.problem = proof.KindSignIn
	c.mu.Unlock()
	s.digit(fyne.Key1)
	s.until("the problem", func() bool { return s.state.Problem == proof.KindSignIn && !s.state.Busy })
	if s.form.Text("secret") != "" || s.form.Text("operator") != "kim" {
		t.Errorf("the form keeps %q and a secret of %d", s.form.Text("operator"), len(s.form.Text("secret")))
	}
	s.form.SetText("secret", "271828")
	s.digit(fyne.Key1)
	s.on("examine")
	if got := c.seconds[1]; got.Operator != "kim" || !got.Confirms || got.Seen != 1 || s.state.Session.Operator.ID != "sam" {
		t.Errorf("sent %+v; the session is %s's", got, s.state.Session.Operator.ID)
	}
}

func TestConcernByOneKeyChangesNothingThatIsSeen(t *testing.T) {
	c, s := begins(t, fyne.Key1, one(proof.ExamineDocument))
	s.on("examine")
	s.form.SetTick("original", true)
	before := s.shown.Base()
	s.digit(fyne.KeyF9)
	s.until("the note", func() bool { return s.state.Said == "concern.said" && !s.state.Busy })
	after := s.shown.Base()
	if len(c.answers) != 1 || c.answers[0].Do != api.DoConcern || !s.form.Ticked("original") || after.Title != before.Title {
		t.Errorf("sent %+v; the screen is %q", c.answers, after.Title)
	}
	if text := fmt.Sprint(after.Banners); !strings.Contains(text, "Noted.") {
		t.Errorf("it is acknowledged with %s", text)
	}
	s.digit(fyne.Key1) // the next thing that is done
	if strings.Contains(fmt.Sprint(s.shown.Base().Banners), "Noted.") {
		t.Error("the note stays")
	}
}

func TestNewsOfEarlierVisits(t *testing.T) {
	c, socket := newCounter(t)
	c.news = []api.Notice{{ID: 7, Ref: "CP-7K2M-49QX", Kind: "nhs_p9"}, {ID: 3, Ref: "CP-1AAA-22BB", Kind: "joined", Seen: true}}
	s := sit(t, socket)
	s.signsIn()
	s.until("the badge", func() bool { return s.head.News == "News of earlier visits: 1 new" })
	s.on("home")
	s.digit(fyne.Key8)
	s.on("notices")
	s.digit(fyne.Key2)
	s.until("the news is seen", func() bool { return s.head.News == "" && !s.state.Busy })
	if len(c.seen) != 1 || c.seen[0] != (api.NoticeSeen{ID: 7, Print: true}) || s.state.Said != "notices.said.print" {
		t.Errorf("sent %+v, said %q", c.seen, s.state.Said)
	}
	c.mu.Lock()
	c.news = append(c.news, api.Notice{ID: 9, Ref: "CP-7K2M-49QX", Kind: "claim_used"})
	c.mu.Unlock()
	c.events <- api.Event{Kind: api.EventQueue, Queue: &api.Queue{}}
	s.until("newer news", func() bool { return s.head.News != "" })
	c.mu.Lock()
	c.late = []api.Notice{{ID: 11, Ref: "CP-7K2M-49QX", Kind: "account_ready"}}
	c.mu.Unlock()
	s.do(view.Intent{Verb: view.DoLook})
	s.until("what the centre had", func() bool { return len(s.state.Notices) == 4 && s.state.Said == "notices.said.look" && !s.state.Busy })
	c.mu.Lock()
	c.late, c.deaf = nil, proof.KindCentreUnreachable
	c.mu.Unlock()
	s.do(view.Intent{Verb: view.DoLook})
	s.until("why there is nothing", func() bool { return s.state.Problem == proof.KindCentreUnreachable && !s.state.Busy })
	if len(s.state.Notices) != 4 {
		t.Errorf("without a network %d pieces of news are shown, want those of before", len(s.state.Notices))
	}
	s.page.Key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	s.on("home")
	s.do(view.Intent{Verb: view.DoSignOut})
	s.on("sign_in")
	if s.state.Notices != nil || s.head.News != "" {
		t.Error("news stays after signing out")
	}
}

func TestEndingAccessIsItsOwnButton(t *testing.T) {
	c, s := begins(t, fyne.Key6, one(proof.RequestProxy), one(proof.ConfirmResult))
	s.on("request_proxy")
	s.digit(fyne.Key2)
	s.on("result")
	if got := c.answers[0].Proxy; got == nil || !got.Withdraw || got.Text != "proxy-en-1" {
		t.Errorf("sent %+v", got)
	}
}
