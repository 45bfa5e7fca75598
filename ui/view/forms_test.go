package view_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/view"
	"github.com/counterproof/counterproof/ui/words"
)

// allAsks reads every kind of ask from the vocabulary's source.
func allAsks(t *testing.T) []proof.AskKind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../agent/proof/ask.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var asks []proof.AskKind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "AskKind" {
			word, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			asks = append(asks, proof.AskKind(word))
		}
		return true
	})
	return asks
}

func TestEveryAskHasAScreen(t *testing.T) {
	byItself := []proof.AskKind{proof.CompareFaces, proof.Decide, proof.SealRecord, proof.MakeClaim, proof.Finish}
	asks := allAsks(t)
	if len(asks) < 26 {
		t.Fatalf("%d asks were found", len(asks))
	}
	for _, kind := range asks {
		s := signedIn(ask(kind, proof.EndVisit)...)
		s.Visit.Outcome = &proof.Outcome{Result: proof.Proved}
		got := view.Show(s).Base()
		if (got.Name == "step") != slices.Contains(byItself, kind) {
			t.Errorf("%s stands on the screen %s", kind, got.Name)
		}
		if len(got.Actions) == 0 || got.Title == "" {
			t.Errorf("%s: %d actions under %q", kind, len(got.Actions), got.Title)
		}
	}
}

func TestEveryAlternativeHasAButton(t *testing.T) {
	never := []proof.AskKind{ // they never stand beside another ask
		proof.AskProofingConsent, proof.AskFaceConsent, proof.CompareFaces, proof.Decide, proof.SealRecord,
		proof.PrintSlip, proof.EndVisit, proof.ClaimIdentity, proof.GivePractice, proof.SecondPerson, proof.RedeemClaim, proof.MakeClaim,
	}
	for _, tag := range words.Languages() {
		for _, kind := range allAsks(t) {
			if has := words.In(tag).Has("way." + string(kind)); has == slices.Contains(never, kind) {
				t.Errorf("%s: a button for %s: %v", tag, kind, has)
			}
		}
	}
}

func TestRoutesHaveTheirDigits(t *testing.T) {
	s := signedIn()
	s.Visit = nil
	h, ok := view.Show(s).(view.Home)
	if !ok {
		t.Fatal("no home")
	}
	var got []string
	for _, a := range h.Actions[:7] {
		if a.Intent.Verb != view.DoStart {
			t.Errorf("%q does %s", a.Label, a.Intent.Verb)
		}
		got = append(got, string(a.Intent.Route))
	}
	if want := "photo_document licence evidence vouch practice_details proxy claim"; strings.Join(got, " ") != want {
		t.Errorf("routes %v", got)
	}
	if len(h.Actions) > 12 || h.Continues.Key != "continues" || h.Continues.Suspect != "" {
		t.Errorf("%d actions, field %+v", len(h.Actions), h.Continues)
	}
	s.Problem = proof.KindRefWrong
	if h, _ := view.Show(s).(view.Home); !strings.HasPrefix(h.Continues.Suspect, "Compare it with the slip") {
		t.Errorf("a wrong reference: %+v", h.Continues)
	}
}

func TestConcernLooksLikeAnythingElse(t *testing.T) {
	for _, kind := range allAsks(t) {
		s := signedIn(ask(kind)...)
		f := view.Show(s).Base()
		late := slices.Contains([]proof.AskKind{proof.PrintSlip, proof.EndVisit}, kind)
		if (f.Concern.Answer.Do == api.DoConcern) == late {
			t.Errorf("%s: F9 does %+v", kind, f.Concern)
		}
		for _, a := range f.Actions {
			if a.Intent.Answer.Do == api.DoConcern && (a.Style != view.Secondary || a.Label != "Pass to the team (F9)") {
				t.Errorf("%s: the button is %+v", kind, a)
			}
		}
	}
	s := signedIn(ask(proof.ExamineDocument)...)
	s.Said = "concern.said"
	b := view.Show(s).Base().Banners
	if len(b) != 1 || b[0].Tone == view.Bad || strings.Contains(strings.ToLower(b[0].Texts[0]), "concern") {
		t.Errorf("it is acknowledged with %+v", b)
	}
}

func TestWhoseTurnItIs(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(*view.State)
		ask    proof.Ask
		want   string
	}{
		{"alone", func(*view.State) {}, proof.Ask{Kind: proof.CaptureDocument}, "Read the document"},
		{"vouch/patient", func(s *view.State) { s.Visit.Route = proof.Vouching }, proof.Ask{Kind: proof.ClaimIdentity}, "Patient: Who does the person say they are?"},
		{"vouch/voucher", func(s *view.State) { s.Visit.Route = proof.Vouching }, proof.Ask{Kind: proof.CaptureDocument, Party: proof.Voucher}, "Person who vouches: Read the document"},
		{"proxy", func(s *view.State) { s.Visit.Route = proof.ProxyAccess }, proof.Ask{Kind: proof.ComparePerson, Party: proof.Proxy}, "Person who is to act: Is this the same person?"},
		{"two-people", func(s *view.State) { s.Visit.People = make([]api.Person, 2) }, proof.Ask{Kind: proof.ChooseEvidence}, "Patient: What have you got?"},
		{"declaration", func(s *view.State) { s.Visit.Route = proof.Vouching }, proof.Ask{Kind: proof.GiveVouch}, "The declaration of somebody who knows the patient"},
		{"welsh-consent", func(s *view.State) { s.Visit.Route, s.Visit.Language = proof.Vouching, "cy" },
			proof.Ask{Kind: proof.AskFaceConsent, Party: proof.Voucher}, "Person sy'n tystio: A gaiff peiriant gymharu eich wyneb â'r llun?"},
		{"party-of-next-year", func(*view.State) {}, proof.Ask{Kind: proof.ComparePerson, Party: "aunt"}, "Patient: Is this the same person?"},
	} {
		s := signedIn(c.ask)
		c.change(&s)
		if got := view.Show(s).Base().Title; got != c.want {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
	}
}

func TestDetailsAreOfTheKindInHand(t *testing.T) {
	title := func(change func(*view.State)) string {
		s := signedIn(ask(proof.EnterEvidence)...)
		change(&s)
		return view.Show(s).Base().Title
	}
	for _, c := range []struct{ rule, got, want string }{
		{"chosen", title(func(s *view.State) { s.Chosen = "birth_cert" }), "Type the details: Birth certificate"},
		{"licence-route", title(func(s *view.State) { s.Visit.Route = proof.DrivingLicence }), "Type the details: UK photocard driving licence"},
		{"window-opened-again", title(func(*view.State) {}), "Type the details"},
		{"licence-route/second-piece", title(func(s *view.State) {
			s.Visit.Route, s.Visit.People = proof.DrivingLicence, []api.Person{{Evidence: []api.Piece{{Type: "uk_dl"}}}}
		}), "Type the details"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q", c.rule, c.got)
		}
	}
	s := signedIn(ask(proof.EnterEvidence)...)
	s.Visit.Prefill = &api.Fields{Number: "N"}
	if lead := view.Show(s).Base().Lead; len(lead) != 2 || !strings.HasPrefix(lead[1], "The camera filled") {
		t.Errorf("what a camera read is told as %q", lead)
	}
}

func TestAHintNamesItsField(t *testing.T) {
	s := signedIn(ask(proof.GiveVouch)...)
	s.Hint = form.Hint{Key: "form.needed", Field: "occupation"}
	if got := view.Show(s).Base().Banners[0].Texts[0]; got != "Occupation: Fill this in, or choose one." {
		t.Errorf("says %q", got)
	}
}

// table is a state with kinds of evidence and two ways.
func table() view.State {
	s := signedIn(ask(proof.ChooseEvidence, proof.Finish)...)
	s.Visit.Choices = []api.Choice{
		{Type: "adoption_cert", Strength: 2}, {Type: "birth_cert", Strength: 2}, {Type: "passport", Strength: 3, Photo: true},
		{Type: "uk_dl", Strength: 3, Photo: true}, {Type: "vouch"},
	}
	s.Visit.Plans = []api.Plan{
		{Level: proof.Medium, Profile: "M1C", Minutes: 13, Steps: []api.PlanStep{
			{Code: "step_key", Type: "uk_dl", Minutes: 3}, {Code: "step_uv_ir", Type: "uk_dl", Minutes: 4},
			{Code: "step_fraud", Minutes: 10, Central: true},
		}},
		{Level: proof.Low, Profile: "L1B", Minutes: 64, Steps: []api.PlanStep{
			{Code: "step_bring", Type: "passport", Minutes: 60}, {Code: "step_show", Type: "passport", Minutes: 1},
		}},
		{Level: proof.Low, Profile: "L2A", Minutes: 9, Steps: []api.PlanStep{
			{Code: "step_record", Type: "birth_cert", Central: true}, {Code: "step_show", Type: "passport", Minutes: 1, Voucher: true},
			{Code: "step_statement", Type: "vouch", Minutes: 3},
		}},
	}
	return s
}

func TestTheTableAndTheWays(t *testing.T) {
	v, ok := view.Show(table()).(view.Evidence)
	if !ok {
		t.Fatal("no table")
	}
	want := "Show the ways / Begin with: UK photocard driving licence / Begin with: Somebody who knows the patient / Begin with what is ticked as here / " +
		"More kinds of evidence / Nothing else to show: end with what there is / Hand over to a colleague / End this visit without a result / Pass to the team (F9)"
	if got := labels(v); got != want {
		t.Errorf("actions %s", got)
	}
	first, named, last := v.Actions[0].Intent.Answer, v.Actions[1].Intent.Answer, v.Actions[3].Intent.Answer
	if first.Do != api.DoTable || named.Type != "uk_dl" || named.Do != api.DoAnswer || last.Type != "" || last.Ask != proof.ChooseEvidence {
		t.Errorf("they do %+v, %+v, %+v", first, named, last)
	}
	if got := v.Ways[0].Title; got != "Way 1: level medium (M1C), about 13 min" {
		t.Errorf("way 1 is called %q", got)
	}
	steps := []string{
		"3 min: Type the details: UK photocard driving licence.", "4 min: Examine under ultraviolet and infrared: UK photocard driving licence.",
		"After the record is sent: Wait for the centre's fraud check.",
	}
	if !slices.Equal(v.Ways[0].Steps, steps) {
		t.Errorf("steps %q", v.Ways[0].Steps)
	}
	if len(v.Kinds) != 4 {
		t.Errorf("%d likely kinds", len(v.Kinds))
	}
	s := table()
	s.Side = view.SideAllKinds
	v, _ = view.Show(s).(view.Evidence)
	if strings.Contains(labels(v), "More kinds") {
		t.Error("there is more than all")
	}
	if got := v.Ways[2].Steps[1]; got != "1 min: Person who vouches: Show to the camera: Passport." {
		t.Errorf("a step of the voucher reads %q", got)
	}
	var order []string
	for _, k := range v.Kinds {
		order = append(order, strings.TrimPrefix(k.Here.Key, form.HereTick))
	}
	if got := strings.Join(order, " "); got != "passport uk_dl birth_cert vouch adoption_cert" {
		t.Errorf("kinds in the order %s", got)
	}
	if k := v.Kinds[0]; k.Note != "strength 3, with a photo" || k.Home.Spoken != "Passport: At home" || k.Home.Label != "At home" {
		t.Errorf("passport: %+v", k)
	}
	if k := v.Kinds[3]; k.Note != "" {
		t.Errorf("a person has %q", k.Note)
	}
}

func TestNobodyVouchesForAVoucher(t *testing.T) {
	s := table()
	s.Visit.Asks[0].Party, s.Visit.Plans, s.Side = proof.Voucher, nil, view.SideAllKinds
	v, _ := view.Show(s).(view.Evidence)
	if len(v.Kinds) != 4 || v.Kinds[0].Home.Key != "" || strings.Contains(labels(v), "Show the ways") {
		t.Errorf("%d kinds, %s", len(v.Kinds), labels(v))
	}
	if len(s.Visit.Choices) != 5 {
		t.Error("the visit itself was changed")
	}
}

func TestNoWayIsSaidAsSuch(t *testing.T) {
	s := table()
	s.Visit.Plans, s.Said = nil, "plan.none"
	v, _ := view.Show(s).(view.Evidence)
	if v.Heading != "" || len(v.Ways) != 0 || v.Banners[0].Tone != view.Info || v.Banners[0].Title == "Done" {
		t.Errorf("%+v", v.Banners)
	}
}

func TestFeedbackSpeaksThePatientsLanguage(t *testing.T) {
	s := signedIn(ask(proof.GiveFeedback, proof.ConfirmResult)...)
	s.Visit.Language, s.Visit.Outcome = "cy", &proof.Outcome{}
	f := view.Show(s).Base()
	if strings.Contains(labels(view.Show(s)), "Pass") {
		t.Errorf("the patient is offered %s", labels(view.Show(s)))
	}
	if f.Title != "Sut oedd hi heddiw?" || f.Actions[0].Label != "Anfon" || !strings.HasPrefix(f.Lead[0], "Dewiswch un.") {
		t.Errorf("%q, %q, %q", f.Title, f.Lead, f.Actions[0].Label)
	}
}

func TestPeopleAndWhatTheyShowed(t *testing.T) {
	s := signedIn(ask(proof.ConfirmResult)...)
	s.Visit.Outcome = &proof.Outcome{
		Result: proof.Requested, Request: proof.ProxySent, Parties: []proof.PartyOutcome{{Party: proof.Proxy, Level: proof.Low, Profile: "L1B"}},
	}
	s.Visit.People = []api.Person{
		{Person: proof.Person{Surname: proof.NewName("SPECIMEN"), Given: proof.NewName("NIA")}, Evidence: []api.Piece{
			{Type: "passport", Examined: true, Compared: true}, {Type: "bank_account", Examined: true},
			{Type: "uk_dl", Problems: []proof.Code{proof.UnlinkedEvidence}},
		}},
		{Party: proof.Proxy},
	}
	r, _ := view.Show(s).(view.Result)
	want := "[{Patient: SPECIMEN NIA [Passport: examined, and compared with the person Bank account (card or statement): examined " +
		"UK photocard driving licence: shown. This evidence has another name or birth date, so it does not count for this person.]} " +
		"{Person who is to act [nothing shown]}]"
	if got := fmt.Sprint(r.People); got != want {
		t.Errorf("%s", got)
	}
	if got := fmt.Sprint(r.Lines); !strings.Contains(got, "{Person who is to act: level low (L1B)} {Request sent to the practice}") {
		t.Errorf("%s", got)
	}
	if r.Title != "The request is written down" || !strings.HasPrefix(r.Lead[0], "The clinician") {
		t.Errorf("%q %q", r.Title, r.Lead)
	}
	s.Visit.Outcome = &proof.Outcome{Result: proof.Pending}
	if f := view.Show(s).Base(); f.Title != "What was brought is checked centrally" || !strings.HasPrefix(f.Lead[0], "Nothing is decided yet") {
		t.Errorf("%q %q", f.Title, f.Lead)
	}
}

func TestNews(t *testing.T) {
	s := signedIn()
	s.Visit, s.Side = nil, view.SideNotices
	show := func() view.Notices { v, _ := view.Show(s).(view.Notices); return v }
	if v := show(); len(v.List.Options) != 0 || !strings.Contains(fmt.Sprint(v.Lead), "There is no news.") || labels(v) != "Ask the centre now / Back" {
		t.Errorf("without news: %+v", v)
	}
	s.Notices = []api.Notice{
		{ID: 9, Ref: "ABCD-EFGH-JKM", Kind: "nhs_p9", At: now}, {ID: 4, Ref: "QRST-EFGH-JKM", Kind: "of_next_year", At: now, Seen: true},
	}
	v := show()
	want := "[{9 NEW · ABCD-EFGH-JKM · 22/11/2026 14:05 · NHS level P9 is final. } " +
		"{4 QRST-EFGH-JKM · 22/11/2026 14:05 · There is news that this window has no words for. Ask the helpdesk. }]"
	if got := fmt.Sprint(v.List.Options); got != want || v.List.Preset != "9" {
		t.Errorf("%s, preset %s", got, v.List.Preset)
	}
	if labels(v) != "Mark as seen / Print the second slip / Ask the centre now / Back" || v.Actions[0].Intent.Print || !v.Actions[1].Intent.Print {
		t.Errorf("%s", labels(v))
	}
	s.Side = view.NoSide
	if got := labels(view.Show(s)); !strings.Contains(got, "News of earlier visits (1 new)") {
		t.Errorf("the badge: %s", got)
	}
	if got := view.Heading(s).News; got != "News of earlier visits: 1 new" {
		t.Errorf("the head says %q", got)
	}
	s.Notices[0].Seen = true
	if got := labels(view.Show(s)); !strings.Contains(got, "News of earlier visits / ") || view.Heading(s).News != "" {
		t.Errorf("nothing new: %s", got)
	}
	s.Session = nil
	s.Notices[0].Seen = false
	if view.Heading(s).News != "" {
		t.Error("news is told to somebody who is not signed in")
	}
}

func TestScanningUsesTheDocumentCamera(t *testing.T) {
	s := signedIn(ask(proof.ScanEvidence, proof.EnterEvidence)...)
	c, ok := view.Show(s).(view.Capture)
	if !ok || c.Role != "document_camera" || c.Name != "capture_evidence" || !strings.Contains(labels(c), "Type the details instead") {
		t.Errorf("%+v", c)
	}
	s.Capturing = proof.ScanEvidence
	if c, _ := view.Show(s).(view.Capture); !c.Running || c.Escape.Answer.Ask != proof.ScanEvidence {
		t.Errorf("%+v", c)
	}
}

func TestASecondPersonSignsBesideTheFirst(t *testing.T) {
	s := signedIn(proof.Ask{Kind: proof.SecondPerson, Why: proof.NeedsSecondPerson})
	v, ok := view.Show(s).(view.Sheet)
	if !ok || v.Actions[0].Intent.Verb != view.DoSecond || len(v.Banners) != 1 {
		t.Fatalf("%+v", v)
	}
	hidden := 0
	for _, p := range v.Parts {
		if f, ok := p.(form.Field); ok && f.Secret {
			hidden++
		}
	}
	if hidden != 1 {
		t.Errorf("%d secrets are hidden", hidden)
	}
}
