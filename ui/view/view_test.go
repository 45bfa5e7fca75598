package view_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/view"
	"github.com/counterproof/counterproof/ui/words"
)

var now = time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC)

// signedIn is a state with a clerk and a visit with these asks.
func signedIn(asks ...proof.Ask) view.State {
	return view.State{
		Words: words.In("en"), Now: now, Status: &api.Status{Enrolled: true},
		Session: &api.Session{Operator: proof.Operator{ID: "sam"}},
		Visit:   &api.Visit{ID: "V", Operator: "sam", Language: "en", Events: 4, Asks: asks},
	}
}

func ask(kinds ...proof.AskKind) []proof.Ask {
	var all []proof.Ask
	for _, k := range kinds {
		all = append(all, proof.Ask{Kind: k})
	}
	return all
}

func labels(s view.Screen) string {
	var all []string
	for _, a := range s.Base().Actions {
		all = append(all, a.Label)
	}
	return strings.Join(all, " / ")
}

func TestWhichScreenStands(t *testing.T) {
	with := func(change func(*view.State)) view.State {
		s := signedIn(ask(proof.ExamineDocument)...)
		change(&s)
		return s
	}
	for _, c := range []struct {
		rule  string
		state view.State
		want  string
	}{
		{"away/before-all", with(func(s *view.State) { s.Away, s.Session = true, nil }), "away"},
		{"no-status", with(func(s *view.State) { s.Status = nil }), "starting"},
		{"not-enrolled", with(func(s *view.State) { s.Status.Enrolled = false }), "not_enrolled"},
		{"no-clerks", with(func(s *view.State) { s.Session, s.Status.NoClerks = nil, true }), "first_clerk"},
		{"signed-out", with(func(s *view.State) { s.Session = nil }), "sign_in"},
		{"signed-out/queue-stays-hidden", with(func(s *view.State) { s.Session, s.Side = nil, view.SideQueue }), "sign_in"},
		{"signed-out/unlock", with(func(s *view.State) { s.Session, s.Side = nil, view.SideUnlock }), "unlock"},
		{"no-visit", with(func(s *view.State) { s.Visit = nil }), "home"},
		{"ended-visit", with(func(s *view.State) { s.Visit.Ended = true }), "home"},
		{"another-clerks-visit", with(func(s *view.State) { s.Visit.Operator = "kim" }), "take_over"},
		{"side/hand-over", with(func(s *view.State) { s.Side = view.SideHandOver }), "hand_over"},
		{"side/abandon", with(func(s *view.State) { s.Side = view.SideAbandon }), "abandon"},
		{"ask/proofing-consent", signedIn(ask(proof.AskProofingConsent)...), "consent_proofing"},
		{"ask/face-consent", signedIn(ask(proof.AskFaceConsent)...), "consent_face"},
		{"ask/first-one-counts", signedIn(ask(proof.KeyDocument, proof.CaptureDocument)...), "key_document"},
		{"ask/capture", signedIn(ask(proof.CaptureDocument, proof.KeyDocument)...), "capture_document"},
		{"ask/face", signedIn(ask(proof.CaptureFace, proof.ComparePerson)...), "capture_face"},
		{"ask/compare-by-machine-stopped", signedIn(ask(proof.CompareFaces)...), "step"},
		{"ask/seal-stopped", signedIn(ask(proof.SealRecord)...), "step"},
		{"ask/none", signedIn(), "step"},
		{"ask/of-next-year", signedIn(ask("sing_a_song")...), "step"},
		{"ask/confirm-without-result", signedIn(ask(proof.ConfirmResult)...), "step"},
		{"capture-runs", with(func(s *view.State) { s.Capturing = proof.CaptureFace }), "capture_face_running"},
	} {
		if got := view.Show(c.state).Base().Name; got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
	}
}

func TestEveryKindIsShownWithItsNextStepOnEveryScreen(t *testing.T) {
	for _, k := range proof.Kinds() {
		s := signedIn(proof.Ask{Kind: proof.CaptureDocument, Problem: k})
		for _, shown := range []view.Screen{view.Show(s), func() view.Screen { s.Problem = k; return view.Show(s) }()} {
			banners := shown.Base().Banners
			if len(banners) != 1 || len(banners[0].Texts) < 2 || !strings.HasPrefix(banners[0].Texts[1], "Next: ") {
				t.Errorf("%s: banners %+v", k, banners)
			}
		}
	}
}

func TestEveryScreenHasAWayOn(t *testing.T) {
	for _, kind := range []proof.AskKind{
		proof.AskProofingConsent, proof.AskFaceConsent, proof.CaptureDocument, proof.KeyDocument, proof.ExamineDocument,
		proof.CaptureFace, proof.CompareFaces, proof.ComparePerson, proof.Decide, proof.ConfirmResult, proof.SealRecord,
		proof.PrintSlip, proof.EndVisit, proof.Finish,
	} {
		s := view.Show(signedIn(proof.Ask{Kind: kind, Problem: proof.KindDiskFull}))
		if len(s.Base().Actions) == 0 {
			t.Errorf("%s: no action", kind)
		}
	}
}

func TestStoppedStepsAreTriedAgainByTheirAsk(t *testing.T) {
	for _, kind := range []proof.AskKind{proof.CompareFaces, proof.Decide, proof.SealRecord} {
		a := view.Show(signedIn(proof.Ask{Kind: kind, Problem: proof.KindDiskFull})).Base().Actions[0]
		if a.Label != "Try again" || a.Intent.Answer.Ask != kind || a.Intent.Answer.Do != api.DoAnswer {
			t.Errorf("%s: %+v", kind, a)
		}
	}
	busy := signedIn(ask(proof.SealRecord)...)
	busy.Busy = true
	if got := labels(view.Show(busy)); got != "" {
		t.Errorf("while it works: %s", got)
	}
}

func TestWaysAndSteps(t *testing.T) {
	doc := &api.Document{Format: "TD3", Examined: true, Portrait: "p"}
	for _, c := range []struct {
		rule  string
		state func(*view.State)
		asks  []proof.Ask
		want  string
	}{
		{"capture/other-ways", func(*view.State) {}, ask(proof.CaptureDocument, proof.KeyDocument, proof.Finish),
			"Start the camera / Type the lines instead / Nothing else to show: end with what there is / Hand over to a colleague / End this visit without a result / Pass to the team (F9)"},
		{"face/by-eye", func(s *view.State) { s.Visit.Document = doc }, ask(proof.CaptureFace, proof.ComparePerson),
			"Start the camera / Compare by eye, without a photograph / Take back: examine the document again / Hand over to a colleague / End this visit without a result / Pass to the team (F9)"},
		{"compare/after-refusal", func(s *view.State) { s.Visit.Document = doc }, []proof.Ask{{Kind: proof.ComparePerson, Why: proof.FaceRefused}},
			"Same person / Different person / I am not sure / I am not trained for this / Take back: ask again about the face comparison / Take back: examine the document again / Hand over to a colleague / End this visit without a result / Pass to the team (F9)"},
		{"result/all-steps", func(s *view.State) {
			s.Visit.Document, s.Visit.Face, s.Visit.Outcome = doc, &api.Face{Live: "f", Clerk: proof.Same}, &proof.Outcome{}
		}, ask(proof.ConfirmResult),
			"Confirm and seal / Take back: compare again / Take back: photograph the face again / Take back: examine the document again / Take back: read the document again / Pass to the team (F9)"},
		{"result/another-person-stays", func(s *view.State) {
			s.Visit.Document, s.Visit.Face, s.Visit.Outcome = doc, &api.Face{Live: "f", Decision: proof.NoMatch}, &proof.Outcome{Result: proof.Review}
		}, ask(proof.ConfirmResult), "Confirm and seal / Take back: examine the document again / Take back: read the document again / Pass to the team (F9)"},
		{"result/other-ways", func(s *view.State) { s.Visit.Outcome = &proof.Outcome{} },
			ask(proof.ConfirmResult, proof.ChooseEvidence, proof.SetPreferences, proof.GiveFeedback),
			"Confirm and seal / Show other evidence / Take down wishes: contact, language, pharmacy / Let the patient say how it was / Pass to the team (F9)"},
		{"result/request", func(s *view.State) {
			s.Visit.Route, s.Visit.Outcome = proof.ProxyAccess, &proof.Outcome{Result: proof.Requested, Request: proof.ProxySent}
			s.Visit.People = []api.Person{{Person: proof.Person{Sex: "F"}}}
		}, ask(proof.ConfirmResult), "Confirm and seal / Take back: the request / Take back: who the person says they are / Pass to the team (F9)"},
		{"result/claim", func(s *view.State) {
			s.Visit.Route, s.Visit.Outcome = proof.ClaimAccount, &proof.Outcome{Result: proof.Pending}
		},
			ask(proof.ConfirmResult), "Confirm and seal / Take back: the claim code / Pass to the team (F9)"},
		{"result/entered", func(s *view.State) {
			s.Visit.Document, s.Visit.Outcome = &api.Document{Source: proof.FromKeys}, &proof.Outcome{}
		},
			ask(proof.ConfirmResult), "Confirm and seal / Take back: type the details again / Pass to the team (F9)"},
		{"practice/other-ways", func(s *view.State) { s.Visit.Route = proof.PracticeDetails },
			ask(proof.GivePractice, proof.ScanEvidence, proof.ChooseEvidence, proof.Finish),
			"Use these codes / Use the camera instead / Show other evidence / Nothing else to show: end with what there is / " +
				"Hand over to a colleague / End this visit without a result / Pass to the team (F9)"},
		{"voucher/without-evidence", func(s *view.State) { s.Visit.Route = proof.Vouching },
			ask(proof.CaptureDocument, proof.KeyDocument, proof.ChooseEvidence, proof.GiveVouch, proof.Finish),
			"Start the camera / Type the lines instead / Show other evidence / Go on to the declaration / " +
				"Nothing else to show: end with what there is / Hand over to a colleague / End this visit without a result / Pass to the team (F9)"},
		{"second/alone", func(*view.State) {}, ask(proof.SecondPerson, proof.Finish),
			"Sign / Nothing else to show: end with what there is / Hand over to a colleague / End this visit without a result / Pass to the team (F9)"},
		{"wishes/back", func(s *view.State) { s.Visit.Outcome = &proof.Outcome{NHS: proof.P5} },
			ask(proof.SetPreferences, proof.ConfirmResult, proof.GiveFeedback),
			"Keep these wishes / Back to the result / Let the patient say how it was / Pass to the team (F9)"},
		{"proxy/withdraw", func(s *view.State) { s.Visit.Route = proof.ProxyAccess }, ask(proof.RequestProxy),
			"Record the request / The patient ends access that was given / Hand over to a colleague / End this visit without a result / Pass to the team (F9)"},
		{"slip/printed", func(s *view.State) { s.Visit.Slip = &api.Slip{Printed: true} }, ask(proof.EndVisit, proof.PrintSlip),
			"End the visit / Print again"},
	} {
		s := signedIn(c.asks...)
		c.state(&s)
		if got := labels(view.Show(s)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.rule, got, c.want)
		}
	}
}

func TestChosenWaysSayChoose(t *testing.T) {
	a := view.Show(signedIn(ask(proof.CaptureDocument, proof.Finish)...)).Base().Actions[1].Intent.Answer
	if a.Ask != proof.Finish || a.Do != api.DoChoose {
		t.Errorf("%+v", a)
	}
}

func TestConsentSpeaksThePatientsLanguage(t *testing.T) {
	s := signedIn(ask(proof.AskFaceConsent)...)
	s.Visit.Language = "cy"
	got, ok := view.Show(s).(view.Consent)
	if !ok || !strings.HasPrefix(got.Title, "A gaiff peiriant") || !strings.HasPrefix(got.Ask, "Ask the person") {
		t.Fatalf("%+v", got)
	}
	yes, no := got.Actions[0], got.Actions[1]
	if !yes.Intent.Answer.Given || no.Intent.Answer.Given || yes.Intent.Answer.Text != "consent-cy-2" || no.Intent.Answer.Text != "consent-cy-2" {
		t.Errorf("yes %+v, no %+v", yes, no)
	}
	if yes.Style != no.Style {
		t.Error("one answer is suggested")
	}
}

func TestGuidanceIsOneSentence(t *testing.T) {
	s := signedIn(ask(proof.CaptureDocument)...)
	s.Capturing = proof.CaptureDocument
	say := func(k *proof.Kind) string {
		s.Guidance = k
		c, _ := view.Show(s).(view.Capture)
		return c.Guidance
	}
	glare, good := proof.KindGlare, proof.KindNone
	for got, want := range map[string]string{
		say(nil): "Looking", say(&glare): "Tilt it a little or move the lamp.", say(&good): "Good. Hold still.",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if e := view.Show(s).Base().Escape.Answer; e.Do != api.DoCancel {
		t.Errorf("escape does %+v", e)
	}
}

func TestQueueLine(t *testing.T) {
	for _, c := range []struct {
		tag  string
		q    api.Queue
		want string
	}{
		{"en", api.Queue{SafeOff: true}, "Nothing is waiting to be sent · safe to switch off"},
		{"en", api.Queue{Waiting: 3, Oldest: now.Add(-2 * time.Hour), SafeOff: true}, "3 waiting, oldest 2 h · safe to switch off"},
		{"en", api.Queue{Waiting: 1, Oldest: now}, "1 waiting, oldest just now · do not switch off yet"},
		{"cy", api.Queue{Waiting: 3, Oldest: now.Add(-2 * time.Hour), SafeOff: true}, "3 yn aros, yr hynaf 2 awr · mae'n ddiogel diffodd"},
	} {
		if got := view.QueueLine(words.In(c.tag), c.q, now); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestLockOutSaysUntilWhen(t *testing.T) {
	s := signedIn()
	s.Session, s.Problem, s.Until = nil, proof.KindLockedOut, now.Add(15*time.Minute)
	if got := fmt.Sprint(view.Show(s).Base().Banners); !strings.Contains(got, "Try again after 14:20.") {
		t.Error(got)
	}
	s.Until = time.Time{}
	if got := fmt.Sprint(view.Show(s).Base().Banners); !strings.Contains(got, "A supervisor can unlock") {
		t.Error(got)
	}
}

func TestResultIsHonest(t *testing.T) {
	s := signedIn(ask(proof.ConfirmResult)...)
	s.Visit.Outcome = &proof.Outcome{
		Result: proof.Review, Level: proof.NoLevel, Computed: "L1B", NHS: proof.P5, Provisional: true, Policy: "gpg45-0.4",
		Reasons: []proof.Reason{{Code: proof.FaceDifferent}},
	}
	r, ok := view.Show(s).(view.Result)
	if !ok {
		t.Fatal("no result")
	}
	if got := fmt.Sprint(r.Lines); !strings.Contains(got, "Level of confidence none") || !strings.Contains(got, "P5, provisional") || !strings.Contains(got, "withheld L1B") {
		t.Error(got)
	}
	if r.Title != "Colleagues will look at this case" || len(r.Reasons) != 1 || len(r.Steps) != 1 || len(r.Lead) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestSlip(t *testing.T) {
	s := signedIn(proof.Ask{Kind: proof.PrintSlip, Problem: proof.KindPaperOut}, proof.Ask{Kind: proof.EndVisit})
	s.Visit.Ref, s.Visit.Slip = "CP-1", &api.Slip{Lines: []string{"a"}, Problem: proof.KindPaperOut}
	v, _ := view.Show(s).(view.Slip)
	if v.Ref != "CP-1" || !strings.HasPrefix(v.Lead[0], "The slip was not printed.") || v.Actions[0].Intent.Answer.Ask != proof.PrintSlip {
		t.Errorf("%+v", v)
	}
	s.Visit.Outcome = &proof.Outcome{Result: proof.Abandoned}
	if got := view.Show(s).Base().Name; got != "ended" {
		t.Errorf("an abandoned visit ends on %s", got)
	}
}

func TestHeading(t *testing.T) {
	s := signedIn(ask(proof.ExamineDocument)...)
	s.Status.Training, s.Status.Site, s.Session.Operator.Name, s.Busy = true, "FV123", "Sam", true
	h := view.Heading(s)
	if h.Training == "" || h.Site != "Site FV123" || h.Clerk != "Clerk: Sam" || h.Working == "" || h.Switch != "Cymraeg" {
		t.Errorf("%+v", h)
	}
	s.Capturing = proof.CaptureFace
	if view.Heading(s).Working != "" {
		t.Error("says that it works while the camera runs")
	}
	if h := view.Heading(view.State{Words: words.In("cy")}); h.Queue != "" || h.Switch != "English" {
		t.Errorf("%+v", h)
	}
}

func TestDevicesSayWhatToDo(t *testing.T) {
	s := signedIn()
	s.Visit = nil
	s.Status.Devices = []api.Device{
		{Role: "document_camera", Ready: true}, {Role: "face_camera", Problem: proof.KindDeviceBusy}, {Role: "teapot", Training: true},
	}
	h, _ := view.Show(s).(view.Home)
	want := "[{Document camera ready} {Face camera not ready: Another program is using the device. Close the other program and try again.} " +
		"{Device not ready: The device is not connected. Plug it in, or go on another way. (simulated)}]"
	if got := fmt.Sprint(h.Lines); got != want {
		t.Errorf("%s", got)
	}
	s.Status.Devices = nil
	if h, _ := view.Show(s).(view.Home); len(h.Lines) != 1 {
		t.Errorf("without devices: %v", h.Lines)
	}
	s.Status.Languages = []string{"cy", "fr"}
	if h, _ := view.Show(s).(view.Home); len(h.Language.Options) != 1 || h.Language.Options[0].Key != "cy" {
		t.Errorf("languages %v", h.Language.Options)
	}
}

// said collects every text of a screen.
func said(v reflect.Value, into *[]string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			*into = append(*into, v.String())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[view.Intent]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "Key" { // of a field: no text
				said(v.Field(i), into)
			}
		}
	case reflect.Interface:
		said(v.Elem(), into)
	case reflect.Slice:
		for i := range v.Len() {
			said(v.Index(i), into)
		}
	}
}

// manyStates lead to every screen, in a language.
func manyStates(t *testing.T, tag string) []view.State {
	var all []view.State
	for _, kind := range append(allAsks(t), "sing_a_song") {
		s := signedIn(proof.Ask{Kind: kind, Why: proof.FaceRefused, Problem: proof.KindPaperOut, Left: 2}, proof.Ask{Kind: proof.KeyDocument})
		s.Words, s.Visit.Language, s.Visit.Document = words.In(tag), tag, &api.Document{Examined: true, Type: "new_type", Source: "new_source"}
		s.Visit.Face = &api.Face{Live: "f", Decision: "new_decision", Clerk: proof.Same}
		s.Visit.Outcome = &proof.Outcome{Result: "new_result", Level: "new_level", NHS: "new_nhs", Provisional: true, Computed: "L1B", Policy: "p", Reasons: []proof.Reason{{Code: "x"}},
			Parties: []proof.PartyOutcome{{Party: "aunt", Level: "new_level"}}, Request: "new_state"}
		s.Visit.Party, s.Visit.Bases = "aunt", []proof.Code{"new_ground"}
		s.Visit.People = []api.Person{{Evidence: []api.Piece{{Type: "new_type", Problems: []proof.Code{"new_problem"}}}}, {Party: "aunt"}}
		s.Visit.Choices = []api.Choice{{Type: "new_type", Strength: 1, Photo: true}}
		s.Visit.Plans = []api.Plan{{Level: "new_level", Steps: []api.PlanStep{{Code: "new_step", Type: "new_type"}}}}
		all = append(all, s)
	}
	for _, change := range []func(*view.State){
		func(s *view.State) { s.Away = true },
		func(s *view.State) { s.Status = nil },
		func(s *view.State) { s.Status.Enrolled = false },
		func(s *view.State) { s.Session = nil },
		func(s *view.State) { s.Session, s.Status.NoClerks = nil, true },
		func(s *view.State) { s.Session, s.Side, s.Hint = nil, view.SideUnlock, form.Hint{Key: "form.date"} },
		func(s *view.State) { s.Visit, s.Said = nil, "unlock.done" },
		func(s *view.State) { s.Visit.Operator = "kim" },
		func(s *view.State) { s.Side = view.SideAbandon },
		func(s *view.State) { s.Side = view.SideHandOver },
		func(s *view.State) { s.Session, s.Side = nil, view.SideFirst },
		func(s *view.State) { s.Session, s.Side = nil, view.SideCode },
		func(s *view.State) { boss(s, view.SideClerks) },
		func(s *view.State) { boss(s, view.SideClerk) },
		func(s *view.State) { boss(s, view.SideAddClerk) },
		func(s *view.State) { s.Side, s.Session.Until = view.SideAccount, now.Add(time.Minute) },
		func(s *view.State) { s.Side = view.SideSecret },
		func(s *view.State) { s.Side = view.SideActivity },
		func(s *view.State) { boss(s, view.SideActivity) },
		func(s *view.State) {
			s.Side, s.Notices = view.SideNotices, []api.Notice{{Kind: "new_kind"}, {Kind: "recall", Seen: true}}
		},
		func(s *view.State) {
			s.Side, s.Status.Queue.Alarms, s.Status.Queue.Problem = view.SideQueue, 2, proof.KindClock
			s.Notices = []api.Notice{{Kind: "new_kind"}}
			s.Queue = &api.QueueList{Items: []api.QueueItem{{Ref: "R", State: "new_state", Attempts: 3, NextTry: now, Size: 5}}}
		},
	} {
		s := signedIn(ask(proof.ExamineDocument)...)
		s.Words, s.Problem = words.In(tag), proof.KindBadRequest
		change(&s)
		all = append(all, s)
	}
	return all
}

func TestNoScreenShowsAKeyOrAnUnfilledValue(t *testing.T) {
	raw := regexp.MustCompile(`^[a-z_]+\.[a-z_.0-9]+$|\{[a-z]+\}`)
	for _, tag := range words.Languages() {
		for _, s := range manyStates(t, tag) {
			shown := view.Show(s)
			var texts []string
			said(reflect.ValueOf(shown), &texts)
			for _, text := range texts {
				if raw.MatchString(text) {
					t.Errorf("%s in %s shows %q", shown.Base().Name, tag, text)
				}
			}
			if shown.Base().Title == "" || shown.Base().Name == "" {
				t.Errorf("%s in %s has no title", shown.Base().Name, tag)
			}
		}
	}
}

func TestFormsAskForWhatTheRequestNeeds(t *testing.T) {
	for _, c := range []struct {
		state         func(*view.State)
		fields        string
		does          view.Verb
		secretsHidden int
	}{
		{func(s *view.State) { s.Session = nil }, "operator secret", view.DoSignIn, 1},
		{func(s *view.State) { s.Session, s.Status.NoClerks = nil, true }, "code name secret again impostor document", view.DoFirst, 2},
		{func(s *view.State) { s.Session, s.Side = nil, view.SideUnlock }, "locked operator secret", view.DoUnlock, 1},
		{func(s *view.State) { s.Session, s.Side = nil, view.SideFirst }, "code name secret again impostor document", view.DoFirst, 2},
		{func(s *view.State) { s.Session, s.Side = nil, view.SideCode }, "operator code secret again", view.DoCode, 2},
		{func(s *view.State) { s.Side = view.SideSecret }, "old secret again", view.DoSecret, 3},
		{func(s *view.State) { s.Side = view.SideHandOver }, "operator secret", view.DoHandOver, 1},
		{func(s *view.State) { s.Visit.Operator = "kim" }, "operator secret", view.DoHandOver, 1},
	} {
		s := signedIn(ask(proof.ExamineDocument)...)
		c.state(&s)
		v, ok := view.Show(s).(view.Sign)
		if !ok {
			t.Fatalf("no form for %s", c.does)
		}
		var keys []string
		hidden := 0
		for _, f := range v.Fields {
			keys = append(keys, f.Key)
			if f.Secret {
				hidden++
			}
			if f.Secret != (f.Key == "secret" || f.Key == "again" || f.Key == "old") {
				t.Errorf("%s: field %s hidden: %v", v.Name, f.Key, f.Secret)
			}
		}
		if strings.Join(keys, " ") != c.fields || v.Actions[0].Intent.Verb != c.does || hidden != c.secretsHidden {
			t.Errorf("%s asks for %v and does %s", v.Name, keys, v.Actions[0].Intent.Verb)
		}
	}
}

func TestQueueList(t *testing.T) {
	s := signedIn()
	s.Visit, s.Side = nil, view.SideQueue
	s.Status.Queue = api.Queue{Waiting: 1, Oldest: now.Add(-time.Hour), Acked: 7, LastSent: now}
	items := func() []string {
		q, _ := view.Show(s).(view.Queue)
		return q.Items
	}
	if got := items(); got != nil {
		t.Errorf("before the list came: %q", got)
	}
	s.Queue = &api.QueueList{}
	if got := items(); len(got) != 1 || got[0] != "There are no records on this counter." {
		t.Errorf("an empty list: %q", got)
	}
	s.Queue.Items = []api.QueueItem{
		{Ref: "CP-1", At: now, State: "acked", Size: 2048},
		{Ref: "CP-2", At: now, State: "sealed", Size: 3 << 20, Attempts: 2, NextTry: now.Add(time.Minute)},
	}
	want := []string{
		"CP-1 · 22/11/2026 14:05 · held by the centre · 2 kB",
		"CP-2 · 22/11/2026 14:05 · waiting to be sent · 3.0 MB · tried 2 times · next try 14:06",
	}
	if got := items(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if e := view.Show(s).Base().Escape.Verb; e != view.DoClose {
		t.Errorf("escape does %q", e)
	}
}

func TestDocumentDetails(t *testing.T) {
	s := signedIn(ask(proof.ExamineDocument)...)
	s.Visit.Document = &api.Document{
		Source: proof.FromKeys, Type: proof.EEAIdentityCard, Problems: []proof.Kind{proof.KindNoPortrait}, Page: "page-1",
		Person: proof.Person{Surname: proof.NewName("SPECIMEN"), Birth: proof.Date{Year: 1984, Month: 8}},
	}
	e, _ := view.Show(s).(view.Examine)
	want := "[{Document Identity card of the EEA} {Surname SPECIMEN} {Given names not told} {Date of birth ??/08/1984} {Sex not told} " +
		"{Nationality not told} {Document number not told} {Issued by not told} {Valid until not told} {Read by typed}]"
	if got := fmt.Sprint(e.Lines); got != want {
		t.Errorf("%s", got)
	}
	if e.Page.ID != "page-1" || e.Portrait.ID != "" || e.Portrait.Empty == "" || len(e.Banners) != 1 || e.Agreement.Preset != "" {
		t.Errorf("page %v, portrait %v, banners %v", e.Page, e.Portrait, e.Banners)
	}
}

func TestAbandonOffersItsReasons(t *testing.T) {
	s := signedIn(ask(proof.ExamineDocument)...)
	s.Side = view.SideAbandon
	a, ok := view.Show(s).(view.Abandon)
	if !ok || a.Actions[0].Intent.Answer.Do != api.DoAbandon || a.Actions[0].Style != view.Warning || a.Reason.Preset != "" {
		t.Fatalf("%+v", a)
	}
	var codes []string
	for _, o := range a.Reason.Options {
		codes = append(codes, o.Key)
	}
	if got := strings.Join(codes, " "); got != "patient_left no_suitable_document clerk_stopped" {
		t.Errorf("reasons %s", got)
	}
}
