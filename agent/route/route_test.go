package route_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
)

// The invented holder of a passport of Utopia, in date until 2031.
var specimen = []string{
	"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<",
	"U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04",
}

var (
	started = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	trained = proof.Training{Impostor: day(2026, 3, 1), Document: day(2025, 1, 10)}
)

func day(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }

func policy(t testing.TB) *gpg45.Policy {
	t.Helper()
	p, err := gpg45.Load(gpg45.Default)
	if err != nil {
		t.Fatalf("loading the policy: %v", err)
	}
	return p
}

// The facts of a visit that goes well, in order.
var (
	begin    = proof.VisitStarted{Case: "case0001", Record: "00", Route: proof.PhotoDocument, Training: true, Operator: trained}
	agree    = proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true}
	refuse   = proof.ConsentAnswered{Purpose: proof.ForProofing}
	faceYes  = proof.ConsentAnswered{Purpose: proof.ForFace, Given: true}
	faceNo   = proof.ConsentAnswered{Purpose: proof.ForFace}
	document = proof.DocumentRead{Source: proof.FromCamera, Lines: specimen, Score: -0.05, Page: "page-3", Portrait: "portrait-3"}
	taken    = proof.FaceTaken{Picture: "live-6"}
	match    = proof.FacesCompared{Score: 3.6, Decision: proof.Match, Portrait: "portrait-3", Live: "live-6"}
	noMatch  = proof.FacesCompared{Score: 0.9, Decision: proof.NoMatch, Portrait: "portrait-3", Live: "live-6"}
	crowd    = proof.FacesCompared{Decision: proof.ManyFaces, Portrait: "portrait-3", Live: "live-6"}
	nobody   = proof.FacesCompared{Decision: proof.NoFace, Portrait: "portrait-3", Live: "live-6"}
	same     = proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson, Trained: trained}
)

// examined ticks everything that the policy asks for.
func examined(t testing.TB) proof.DocumentExamined {
	return proof.DocumentExamined{
		Original: true, Details: proof.Agree, Features: policy(t).Features(proof.Passport), Trained: trained,
	}
}

// visit folds facts, a minute apart, each by the clerk who has the visit then.
func visit(facts ...proof.Fact) route.State {
	return route.Fold(log(facts...))
}

func log(facts ...proof.Fact) []proof.Event {
	var events []proof.Event
	clerk := proof.OperatorID("robin")
	for i, f := range facts {
		by := proof.Actor{Kind: proof.ByPerson, ID: clerk}
		switch f := f.(type) {
		case proof.HandedOver:
			clerk = f.To
		case proof.SecondPersonAnswered:
			by.ID = f.Operator
		}
		at := started.Add(time.Duration(i) * time.Minute)
		events = append(events, proof.Event{Seq: i + 1, At: at, By: by, Fact: f})
	}
	return events
}

// first is the recommended ask.
func first(s route.State) proof.AskKind {
	asks := route.Asks(s)
	if len(asks) == 0 {
		return ""
	}
	return asks[0].Kind
}

func TestTheWayOfAPassport(t *testing.T) {
	t.Parallel()
	s := route.State{}
	steps := []struct {
		fact proof.Fact
		then proof.AskKind
	}{
		{begin, proof.AskProofingConsent},
		{agree, proof.CaptureDocument},
		{document, proof.ExamineDocument},
		{examined(t), proof.AskFaceConsent},
		{faceYes, proof.CaptureFace},
		{taken, proof.CompareFaces},
		{match, proof.ComparePerson},
		{same, proof.Decide},
	}
	for i, step := range steps {
		if !route.Allowed(s, step.fact) {
			t.Fatalf("step %d (%s) is not allowed", i, step.fact.FactKind())
		}
		var asks []proof.Ask
		s, asks = route.Next(s, log(step.fact)[0])
		if len(asks) == 0 || asks[0].Kind != step.then {
			t.Fatalf("after %s asks are %v, want %s first", step.fact.FactKind(), asks, step.then)
		}
	}
	out := verdict.Decide(s, policy(t))
	if out.Result != proof.Proved || out.Profile != "L1B" || out.Level != proof.Low {
		t.Errorf("result %s, level %s, profile %s; want proved, low, L1B: %+v", out.Result, out.Level, out.Profile, out.Reasons)
	}
	if !out.Provisional || !out.Training || len(out.Raise) == 0 || len(out.Checks) == 0 {
		t.Errorf("provisional %t, training %t, %d ways to raise it, %d checks; want all of them", out.Provisional, out.Training, len(out.Raise), len(out.Checks))
	}
}

func TestResults(t *testing.T) {
	t.Parallel()
	exam := examined(t)
	doubtful, copied, contradicts, unticked := exam, exam, exam, exam
	doubtful.Doubts = []string{"photo_position"}
	copied.Original = false
	contradicts.Details = proof.Contradicts
	unticked.Features = nil
	untrained := same
	untrained.Trained = proof.Training{}
	different, unsure := same, same
	different.Answer, unsure.Answer = proof.Different, proof.NotSure
	for _, c := range []struct {
		rule   string
		facts  []proof.Fact
		result proof.Result
		level  proof.Level
	}{
		{"consent refused ends it", []proof.Fact{refuse}, proof.Abandoned, proof.NoLevel},
		{"face refused, trained clerk compares: no penalty", []proof.Fact{agree, document, exam, faceNo, same}, proof.Proved, proof.Low},
		{"machine alone gives nothing", []proof.Fact{agree, document, exam, faceYes, taken, match, unsure}, proof.NotProved, proof.NoLevel},
		{"untrained clerk gives nothing", []proof.Fact{agree, document, exam, faceYes, taken, match, proof.HandedOver{To: "sam"}, untrained}, proof.NotProved, proof.NoLevel},
		{"clerk says another person", []proof.Fact{agree, document, exam, faceYes, taken, match, different}, proof.Review, proof.NoLevel},
		{"machine says another person thrice", []proof.Fact{agree, document, exam, faceYes, taken, noMatch, taken, noMatch, taken, noMatch}, proof.Review, proof.NoLevel},
		{"machine says another person, clerk ends", []proof.Fact{agree, document, exam, faceYes, taken, noMatch, proof.WayChosen{Way: proof.Finish}}, proof.Review, proof.NoLevel},
		{"doubtful feature", []proof.Fact{agree, document, doubtful}, proof.Review, proof.NoLevel},
		{"document contradicts itself", []proof.Fact{agree, document, contradicts}, proof.Review, proof.NoLevel},
		{"a copy is no original", []proof.Fact{agree, document, copied}, proof.NotProved, proof.NoLevel},
		{"features not seen: validity 1 meets no profile, a record check may", []proof.Fact{agree, document, unticked, faceNo, same}, proof.Pending, proof.NoLevel},
		{"no document", []proof.Fact{agree, proof.WayChosen{Way: proof.Finish}}, proof.NotProved, proof.NoLevel},
		{"patient leaves", []proof.Fact{agree, document, proof.VisitAbandoned{Reason: proof.PatientLeft}}, proof.Abandoned, proof.NoLevel},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := visit(append([]proof.Fact{begin}, c.facts...)...)
			if got := first(s); got != proof.Decide {
				t.Fatalf("asks %v, want %s", route.Asks(s), proof.Decide)
			}
			out := verdict.Decide(s, policy(t))
			if out.Result != c.result || out.Level != c.level {
				t.Errorf("result %s at level %s, want %s at %s: %+v", out.Result, out.Level, c.result, c.level, out.Reasons)
			}
			if len(out.Reasons) == 0 {
				t.Error("no reason is given")
			}
		})
	}
}

func TestDocumentsThatCannotCount(t *testing.T) {
	t.Parallel()
	read := func(lines ...string) proof.DocumentRead {
		return proof.DocumentRead{Source: proof.FromCamera, Lines: lines}
	}
	real := begin
	real.Training = false
	for _, c := range []struct {
		rule  string
		begin proof.VisitStarted
		read  proof.DocumentRead
		why   proof.Code
	}{
		{"expired", begin, read("P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X1606306<<<<<<<<<<<<<<08"), proof.DocExpired},
		{"specimen outside training", real, document, proof.DocSpecimen},
		{"digits disagree", begin, read(specimen[0], "U1234567<7UTO8503127X3106305<<<<<<<<<<<<<<04"), proof.ChecksFailed},
		{"no zone at all", begin, read("HELLO"), proof.ChecksFailed},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := visit(c.begin, agree, c.read)
			asks := route.Asks(s)
			if s.Document != nil || asks[0].Kind != proof.CaptureDocument || asks[0].Why != c.why {
				t.Errorf("document %v, asks %+v; want another one asked because of %s", s.Document != nil, asks, c.why)
			}
			if asks[len(asks)-1].Kind != proof.Finish {
				t.Errorf("asks %+v do not let the visit end", asks)
			}
		})
	}
}

func TestAnotherWayBesideEveryFailure(t *testing.T) {
	t.Parallel()
	failed := func(k proof.Kind) proof.Fact { return proof.DocumentFailed{Kind: k} }
	faceFailed := func(k proof.Kind) proof.Fact { return proof.FaceFailed{Kind: k} }
	exam := examined(t)
	for _, c := range []struct {
		rule  string
		facts []proof.Fact
		want  []proof.AskKind
	}{
		{"one blurred frame: again, or keys", []proof.Fact{failed(proof.KindBlurred)}, []proof.AskKind{proof.CaptureDocument, proof.KeyDocument, proof.ChooseEvidence, proof.Finish}},
		{"three failures: keys first", []proof.Fact{failed(proof.KindBlurred), failed(proof.KindGlare), failed(proof.KindNoMRZ)}, []proof.AskKind{proof.KeyDocument, proof.CaptureDocument, proof.ChooseEvidence, proof.Finish}},
		{"no camera: keys first", []proof.Fact{failed(proof.KindDeviceMissing)}, []proof.AskKind{proof.KeyDocument, proof.CaptureDocument, proof.ChooseEvidence, proof.Finish}},
		{"clerk prefers keys", []proof.Fact{proof.WayChosen{Way: proof.KeyDocument}}, []proof.AskKind{proof.KeyDocument, proof.CaptureDocument, proof.ChooseEvidence, proof.Finish}},
		{"no face camera: by eye", []proof.Fact{document, exam, faceYes, faceFailed(proof.KindDeviceMissing)}, []proof.AskKind{proof.ComparePerson, proof.CaptureFace}},
		{"no matcher: by eye", []proof.Fact{document, exam, faceYes, taken, proof.CompareFailed{Kind: proof.KindFaceUnavailable}}, []proof.AskKind{proof.ComparePerson}},
		{"two faces: photograph again", []proof.Fact{document, exam, faceYes, taken, crowd}, []proof.AskKind{proof.CaptureFace, proof.ComparePerson}},
		{"misread: read again", []proof.Fact{document, proof.DocumentExamined{Details: proof.Misread, Original: true, Trained: trained}}, []proof.AskKind{proof.CaptureDocument, proof.KeyDocument, proof.ChooseEvidence, proof.Finish}},
		{"another person: photograph again or end", []proof.Fact{document, exam, faceYes, taken, noMatch}, []proof.AskKind{proof.CaptureFace, proof.Finish}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := visit(append([]proof.Fact{begin, agree}, c.facts...)...)
			var got []proof.AskKind
			for _, a := range route.Asks(s) {
				got = append(got, a.Kind)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("asks %v, want %v", got, c.want)
			}
		})
	}
}

func TestMachineIsNotOverruled(t *testing.T) {
	t.Parallel()
	// Whatever fails or is said after a machine's "another person", there is no
	// level unless a later comparison took it back.
	before := []proof.Fact{begin, agree, document, examined(t), faceYes, taken, noMatch}
	for name, after := range map[string][]proof.Fact{
		"clerk says same":      {same, proof.WayChosen{Way: proof.Finish}},
		"matcher breaks then":  {taken, proof.CompareFailed{Kind: proof.KindFaceUnavailable}, same, proof.WayChosen{Way: proof.Finish}},
		"no face then":         {taken, nobody, same, proof.WayChosen{Way: proof.Finish}},
		"consent taken back":   {proof.StepReopened{Step: proof.AskFaceConsent}, faceNo, same, proof.WayChosen{Way: proof.Finish}},
		"document shown again": {proof.StepReopened{Step: proof.CaptureDocument}, document, examined(t), same, proof.WayChosen{Way: proof.Finish}},
	} {
		t.Run(name, func(t *testing.T) {
			out := verdict.Decide(visit(append(before, after...)...), policy(t))
			if out.Level != proof.NoLevel || out.Result != proof.Review {
				t.Errorf("result %s, level %s; want review without a level", out.Result, out.Level)
			}
		})
	}
	// The negative control: a later match does take it back.
	out := verdict.Decide(visit(append(before, taken, match, same)...), policy(t))
	if out.Result != proof.Proved {
		t.Errorf("after a later match: %s, want proved", out.Result)
	}
}

func TestEndOfAVisit(t *testing.T) {
	t.Parallel()
	done := []proof.Fact{begin, agree, document, examined(t), faceNo, same, proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Proved}}}
	for _, c := range []struct {
		after []proof.Fact
		want  proof.AskKind
	}{
		{nil, proof.ConfirmResult},
		{[]proof.Fact{proof.ResultConfirmed{}}, proof.SealRecord},
		{[]proof.Fact{proof.ResultConfirmed{}, proof.RecordQueued{Ref: "R"}}, proof.PrintSlip},
		{[]proof.Fact{proof.ResultConfirmed{}, proof.RecordQueued{Ref: "R"}, proof.SlipMade{Kind: proof.KindPaperOut}}, proof.PrintSlip},
		{[]proof.Fact{proof.ResultConfirmed{}, proof.RecordQueued{Ref: "R"}, proof.SlipMade{}}, proof.EndVisit},
		{[]proof.Fact{proof.ResultConfirmed{}, proof.RecordQueued{Ref: "R"}, proof.SlipMade{}, proof.VisitEnded{}}, ""},
	} {
		if got := first(visit(append(done, c.after...)...)); got != c.want {
			t.Errorf("after %d closing events asks %q, want %q", len(c.after), got, c.want)
		}
	}
	for _, s := range []route.State{visit(done...), visit(append(done, proof.ResultConfirmed{}, proof.RecordQueued{Ref: "R"}, proof.SlipMade{})...)} {
		if !route.Allowed(s, proof.HandedOver{To: "sam"}) {
			t.Errorf("while it asks for %s a visit cannot be handed over: whoever left holds the next patient up", first(s))
		}
	}
	abandoned := visit(begin, agree, document, proof.VisitAbandoned{Reason: proof.PatientLeft}, proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Abandoned}})
	if first(abandoned) != proof.SealRecord || route.CanReopen(abandoned, proof.CaptureDocument) {
		t.Errorf("an abandoned visit, whose record may be queued, asks %s and may be taken back: %t", first(abandoned), route.CanReopen(abandoned, proof.CaptureDocument))
	}
	s := visit(append(done, proof.ResultConfirmed{})...)
	if route.CanReopen(s, proof.ExamineDocument) {
		t.Error("a step may be taken back after the result was confirmed")
	}
	s = visit(append(done, proof.StepReopened{Step: proof.ExamineDocument})...)
	if s.Outcome != nil || first(s) != proof.ExamineDocument {
		t.Errorf("taking the examination back leaves %v and asks %s", s.Outcome, first(s))
	}
}

// anyFact draws facts, most of them sensible and some not.
func anyFact(t *rapid.T, exam proof.DocumentExamined) proof.Fact {
	facts := []proof.Fact{
		begin, agree, refuse, faceYes, faceNo, document, exam, taken, match, noMatch, same,
		proof.DocumentRead{Lines: []string{"X"}}, proof.DocumentFailed{Kind: proof.KindBlurred},
		proof.DocumentExamined{Details: proof.Misread, Trained: trained}, proof.DocumentExamined{Details: proof.Contradicts, Original: true, Trained: trained},
		proof.FaceFailed{Kind: proof.KindNoFace}, crowd, chipRead, proof.ChipRead{Verdict: proof.ChipGenuine},
		proof.ChipRead{Verdict: proof.ChipRevoked, Lines: specimen}, proof.ChipRead{Verdict: proof.ChipGenuine, Lines: secondPassport},
		proof.ChipFailed{Kind: proof.KindChipMoved}, proof.WayChosen{Way: proof.ReadChip}, proof.WayChosen{Way: proof.ExamineDocument},
		proof.StepReopened{Step: proof.ReadChip},
		proof.CompareFailed{Kind: proof.KindFaceUnavailable}, proof.PersonCompared{Answer: proof.Different, Trained: trained},
		proof.HandedOver{To: "sam", Trained: trained}, proof.WayChosen{Way: proof.Finish}, proof.WayChosen{Way: proof.KeyDocument},
		proof.WayChosen{Way: proof.ComparePerson}, proof.VisitAbandoned{Reason: proof.PatientLeft},
		proof.VisitDecided{}, proof.ResultConfirmed{}, proof.RecordQueued{Ref: "R"}, proof.SlipMade{}, proof.VisitEnded{},
		proof.StepReopened{Step: proof.CaptureDocument}, proof.StepReopened{Step: proof.ExamineDocument},
		proof.StepReopened{Step: proof.AskFaceConsent}, proof.StepReopened{Step: proof.CaptureFace},
		proof.StepReopened{Step: proof.ComparePerson},
		chosen(proof.UKLicence, proof.ByField, true), chosen("birth_cert", proof.ByField, false), chosen(proof.Vouch, proof.ByVouch, false),
		chosen(proof.Passport, proof.ByZone, true), claims(wren), of(wren, "N1", day(2030, 1, 4)), of(tal, "N2", day(2030, 1, 4)),
		other, declared, practice, wanted, agreed, redeemed, proof.ConcernRaised{}, proof.ColleagueNoticed{},
		proof.SecondPersonAnswered{Operator: "lin", Confirms: true}, proof.PreferencesGiven{Language: "cy"}, proof.FeedbackGiven{Score: 4},
		proof.ClaimMade{Token: "T"}, proof.EvidenceScanned{Page: "page-3"}, proof.WayChosen{Way: proof.ChooseEvidence},
		proof.WayChosen{Way: proof.GiveVouch}, proof.WayChosen{Way: proof.RequestProxy}, proof.WayChosen{Way: proof.EnterEvidence},
		proof.StepReopened{Step: proof.EnterEvidence}, proof.StepReopened{Step: proof.GiveVouch}, proof.StepReopened{Step: proof.RequestProxy},
	}
	return rapid.SampledFrom(facts).Draw(t, "fact")
}

// checksMade recounts from the bare events, without the route, what a level at
// this desk rests on.
func checksMade(events []proof.Event) (consent, read, examined, compared bool) {
	for _, e := range events {
		switch f := e.Fact.(type) {
		case proof.ConsentAnswered:
			consent = consent || f.Purpose == proof.ForProofing && f.Given
		case proof.DocumentRead:
			read = read || len(f.Lines) == 2
		case proof.EvidenceEntered:
			read = true
		case proof.VouchGiven:
			read, examined = true, true
		case proof.DocumentExamined:
			examined = examined || f.Original && f.Details == proof.Agree && len(f.Features) > 0
		case proof.PersonCompared:
			compared = compared || f.Answer == proof.Same
		}
	}
	return consent, read, examined, compared
}

func TestAnyOrderOfEvents(t *testing.T) {
	t.Parallel()
	p, exam := policy(t), examined(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "n")
		facts := []proof.Fact{starts(rapid.SampledFrom(route.Routes()).Draw(t, "route"))}
		for range n {
			facts = append(facts, anyFact(t, exam))
		}
		events := log(facts...)
		s := route.State{}
		for _, e := range events {
			s, _ = route.Next(s, e)
		}
		out := verdict.Decide(s, p)
		if consent, read, examined, compared := checksMade(events); out.Level != proof.NoLevel && !(consent && read && examined && compared) {
			t.Fatalf("level %s without its checks: consent %t, read %t, examined %t, compared %t", out.Level, consent, read, examined, compared)
		}
		for _, who := range s.Parties() {
			if who.Machine != nil && who.Face != route.Given {
				t.Fatal("a face was compared without consent")
			}
		}
		if s.Concern && !s.Abandoned && out.Result != proof.Review {
			t.Fatalf("a concern ends in %s", out.Result)
		}
		if s.Open() && len(route.Asks(s)) == 0 {
			t.Fatal("an open visit asks for nothing")
		}
		if again := route.Fold(reread(t, events)); !reflect.DeepEqual(again, s) {
			t.Fatalf("replaying the log gives another state:\n%+v\n%+v", again, s)
		}
	})
}

// reread writes a log and reads it back.
func reread(t *rapid.T, events []proof.Event) []proof.Event {
	b, err := json.Marshal(events)
	if err != nil {
		t.Fatalf("writing events: %v", err)
	}
	var back []proof.Event
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatalf("reading events: %v", err)
	}
	return back
}

func TestLevelsAreReachedAtAll(t *testing.T) {
	t.Parallel()
	// The negative control of TestAnyOrderOfEvents: the facts it draws from do
	// reach a level when they come in order.
	s := visit(begin, agree, document, examined(t), faceYes, taken, match, same)
	if out := verdict.Decide(s, policy(t)); out.Level == proof.NoLevel {
		t.Errorf("no level: %+v", out)
	}
}

func TestToday(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]proof.Date{
		"2026-11-22T23:59:59Z": day(2026, 11, 22),
		"2026-07-01T23:30:00Z": day(2026, 7, 2), // British Summer Time
		"2026-03-29T00:59:59Z": day(2026, 3, 29),
		"2026-10-24T23:30:00Z": day(2026, 10, 25), // the last night of summer
		"2026-10-25T23:30:00Z": day(2026, 10, 25),
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := route.Today(moment); got != want {
			t.Errorf("%s is %s in London, want %s", at, got, want)
		}
	}
}

// TestAComparisonIsOfItsDocument shows a document that is not the person's, then
// their own, then the first again: the match made with one never counts for
// another.
func TestAComparisonIsOfItsDocument(t *testing.T) {
	t.Parallel()
	own := other
	own.Page, own.Portrait = "page-20", "portrait-20"
	ownMatch := proof.FacesCompared{Score: 4, Decision: proof.Match, Portrait: "portrait-20", Live: "live-6"}
	again := proof.StepReopened{Step: proof.CaptureDocument}
	facts := []proof.Fact{begin, agree, document, examined(t), faceYes, taken, noMatch,
		again, own, examined(t), ownMatch, again, document, examined(t)}
	s := visit(facts...)
	if route.Allowed(s, same) || route.Allowed(s, ownMatch) {
		t.Errorf("asks %v: the first document may be taken without comparing it again", route.Asks(s))
	}
	out := verdict.Decide(visit(append(facts, noMatch, proof.WayChosen{Way: proof.Finish})...), policy(t))
	if out.Result != proof.Review || out.Level != proof.NoLevel {
		t.Errorf("result %s at %s, want a review", out.Result, out.Level)
	}
	if out := verdict.Decide(visit(facts[:11]...), policy(t)); out.Result != proof.Review {
		t.Errorf("a match of the second document washes off what was said of the first: %s", out.Result)
	}
}

// TestAnAuthorIsWhoHasTheVisit holds that a comparison counts only by the
// operator of the visit, with the training that the visit knows.
func TestAnAuthorIsWhoHasTheVisit(t *testing.T) {
	t.Parallel()
	better := same
	better.Trained.Impostor = day(2026, 11, 1)
	for name, last := range map[string]proof.Event{
		"another's":           {Seq: 6, At: started, By: proof.Actor{Kind: proof.ByPerson, ID: "sam"}, Fact: same},
		"the system's":        {Seq: 6, At: started, By: proof.Actor{Kind: proof.BySystem}, Fact: same},
		"with other training": {Seq: 6, At: started, By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Fact: better},
	} {
		s := route.Fold(append(log(begin, agree, document, examined(t), faceNo), last))
		if s.Person != nil {
			t.Errorf("%s comparison counts", name)
		}
	}
}

func TestAVisitIsJudgedByItsEnd(t *testing.T) {
	t.Parallel()
	events := log(begin, agree, document, examined(t), faceNo, same)
	for i := range events[2:] {
		events[2+i].At = started.AddDate(5, 0, 0) // taken up again after the passport's end
	}
	out := verdict.Decide(route.Fold(events), policy(t))
	if out.Level != proof.NoLevel {
		t.Errorf("an expired passport gives %s: the visit is judged by its first day", out.Level)
	}
	for i := range events[2:] {
		events[2+i].At = started.AddDate(-5, 0, 0) // the clock went back
	}
	if s := route.Fold(events); s.Today() != day(2026, 11, 22) {
		t.Errorf("with a clock that went back the day is %s", s.Today())
	}
}
