package view

import (
	"slices"
	"strconv"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/words"
)

// Consent asks the patient, in the patient's language.
type Consent struct {
	Frame
	Ask string // to the clerk, in the clerk's language
}

// Capture is the screen of a camera, or of the chip reader.
type Capture struct {
	Frame
	Role     string // of the camera: document_camera or face_camera; chip_reader
	Running  bool
	Guidance string       // the one thing to do now
	Preview  string       // what the moving picture is called, "" where there is none
	Fields   []form.Field // what may be typed before it starts
}

// Key is where the lines of a document are typed.
type Key struct {
	Frame
	Lines []form.Field
}

// Examine is the clerk's look at the original.
type Examine struct {
	Frame
	Details   string // heading
	Lines     []Line
	Page      Picture
	Portrait  Picture
	Original  form.Option
	Agreement form.Choice
	Features  string // heading
	Seen      []form.Option
	Doubts    string // heading
	Wrong     []form.Option
	UVIR      form.Option
}

// Compare shows both faces.
type Compare struct {
	Frame
	Portrait Picture
	Live     Picture
	Machine  Banner
}

// Abandon asks why a visit ends.
type Abandon struct {
	Frame
	Reason form.Choice
}

// visit is the screen of the recommended ask.
func visit(s State) Screen {
	if s.Capturing != "" {
		return capture(s, s.Capturing)
	}
	if len(s.Visit.Asks) == 0 {
		return step(s, "")
	}
	switch ask := s.Visit.Asks[0].Kind; ask {
	case proof.AskProofingConsent:
		return consent(s, "proofing", ask)
	case proof.AskFaceConsent:
		return consent(s, "face", ask)
	case proof.CaptureDocument, proof.CaptureFace, proof.ScanEvidence, proof.ReadChip:
		return capture(s, ask)
	case proof.ChooseEvidence:
		return evidence(s)
	case proof.KeyDocument:
		return key(s)
	case proof.ExamineDocument:
		return examine(s)
	case proof.ComparePerson:
		return compare(s)
	case proof.ConfirmResult:
		return result(s)
	case proof.PrintSlip, proof.EndVisit:
		return slip(s)
	default:
		if s.Words.Has("ask." + string(ask) + ".do") {
			return sheet(s)
		}
		return step(s, ask)
	}
}

// asked begins the screen of the visit's first ask: the request's problem, the
// ask's own problem and why it is asked.
func asked(s State, name string) Frame {
	f := frame(s, name)
	if len(s.Visit.Asks) == 0 {
		return f
	}
	ask := s.Visit.Asks[0]
	if ask.Problem != proof.KindNone && ask.Problem != s.Problem {
		f.Banners = append(f.Banners, problem(s.Words, ask.Problem))
	}
	if ask.Why != "" {
		texts := []string{s.Words.Reason(proof.Reason{Code: ask.Why})}
		if ask.Left > 0 {
			texts = append(texts, s.Words.Count("left", ask.Left))
		}
		f.Banners = append(f.Banners, Banner{Info, s.Words.Say("why.title"), texts})
	}
	return f
}

// answer makes the action that answers an ask.
func answer(label string, style Style, a api.Answer) Action {
	return Action{label, Intent{Verb: DoAnswer, Answer: a}, style}
}

// ways are the alternatives to the recommended ask.
func ways(s State) []Action {
	var out []Action
	for _, a := range s.Visit.Asks[1:] {
		if key := "way." + string(a.Kind); s.Words.Has(key) {
			out = append(out, answer(s.Words.Say(key), Secondary, api.Answer{Ask: a.Kind, Do: api.DoChoose}))
		}
	}
	return out
}

// reopens are the steps that can be taken back now, of those named.
func reopens(s State, steps ...proof.AskKind) []Action {
	done := done(s.Visit)
	var out []Action
	for _, step := range steps {
		if done[step] {
			label := s.Words.Say("act.reopen." + string(step))
			out = append(out, answer(label, Secondary, api.Answer{Ask: step, Do: api.DoReopen}))
		}
	}
	return out
}

// done tells which steps a visit has taken, as far as it shows them.
func done(v *api.Visit) map[proof.AskKind]bool {
	zone := v.Document != nil && v.Document.Format != ""
	differs := v.Face != nil && v.Face.Decision == proof.NoMatch
	vouched := slices.ContainsFunc(v.People, func(p api.Person) bool {
		return slices.ContainsFunc(p.Evidence, func(e api.Piece) bool { return e.Type == proof.Vouch })
	})
	claims := slices.Contains([]proof.RouteName{proof.PracticeDetails, proof.ProxyAccess, proof.Vouching}, v.Route)
	return map[proof.AskKind]bool{
		proof.ClaimIdentity:   claims && len(v.People) > 0 && v.People[0].Person != (proof.Person{}),
		proof.CaptureDocument: zone,
		proof.EnterEvidence:   v.Document != nil && !zone,
		proof.ReadChip:        v.Document != nil && v.Document.Chip != nil,
		proof.ExamineDocument: v.Document != nil && v.Document.Examined,
		proof.CaptureFace:     v.Face != nil && v.Face.Live != "" && !differs,
		proof.ComparePerson:   v.Face != nil && v.Face.Clerk != "",
		proof.AskFaceConsent:  slices.ContainsFunc(v.Asks, func(a proof.Ask) bool { return a.Why == proof.FaceRefused }),
		proof.GiveVouch:       vouched,
		proof.GivePractice:    v.Route == proof.PracticeDetails && v.Outcome != nil,
		proof.RequestProxy:    v.Outcome != nil && v.Outcome.Request != "",
		proof.RedeemClaim:     v.Route == proof.ClaimAccount && v.Outcome != nil,
	}
}

// asides are the ways out of any visit that has no result yet.
func asides(s State) []Action {
	if s.Visit.Outcome != nil {
		return nil
	}
	return []Action{
		open(s.Words.Say("act.hand_over"), SideHandOver, Secondary),
		open(s.Words.Say("act.abandon"), SideAbandon, Warning),
	}
}

// passable adds the way to pass the visit to the team, which looks and sounds
// like any other: a key and a plain button, last.
func passable(s State, f Frame) Frame {
	pass := answer(s.Words.Say("act.concern"), Secondary, api.Answer{Do: api.DoConcern})
	f.Actions, f.Concern = append(f.Actions, pass), pass.Intent
	return f
}

// whose puts the person whose turn it is before a title, where a visit has more
// than one.
func whose(s State, w words.Words, title string) string {
	v := s.Visit
	p := v.Party
	if len(v.Asks) > 0 {
		p = v.Asks[0].Party
	}
	alone := v.Route != proof.Vouching && v.Route != proof.ProxyAccess && len(v.People) < 2
	if p == proof.Patient && alone {
		return title
	}
	return w.Say("title.party", "party", party(w, p), "title", title)
}

// consent asks for one purpose. Neither answer is set before the other: both
// look alike.
func consent(s State, purpose string, ask proof.AskKind) Screen {
	w := words.In(s.Visit.Language)
	f := asked(s, "consent_"+purpose)
	f.Title = w.Say("consent." + purpose + ".title")
	if ask == proof.AskFaceConsent {
		f.Title = whose(s, w, f.Title)
	}
	for _, n := range []string{".1", ".2", ".3"} {
		f.Lead = append(f.Lead, w.Say("consent."+purpose+n))
	}
	version := w.Say("consent.version")
	f.Actions = []Action{
		answer(w.Say("consent."+purpose+".yes"), Primary, api.Answer{Ask: ask, Given: true, Text: version}),
		answer(w.Say("consent."+purpose+".no"), Primary, api.Answer{Ask: ask, Text: version}),
	}
	f.Actions = append(f.Actions, reopens(s, proof.ExamineDocument)...)
	f.Actions = append(f.Actions, asides(s)...)
	return Consent{passable(s, f), s.Words.Say("consent.ask")}
}

// capture is a camera, or the chip reader, before it starts or while it runs.
func capture(s State, ask proof.AskKind) Screen {
	w, thing, camera := s.Words, "document", "document_camera"
	switch ask {
	case proof.CaptureFace:
		thing, camera = "face", "face_camera"
	case proof.ScanEvidence:
		thing = "evidence"
	case proof.ReadChip:
		thing, camera = "chip", "chip_reader"
	}
	f := asked(s, "capture_"+thing)
	f.Title, f.Lead = whose(s, w, w.Say("capture."+thing+".title")), []string{w.Say("capture." + thing + ".lead")}
	c := Capture{Frame: f, Role: camera}
	if ask != proof.ReadChip {
		c.Preview = w.Say("capture.preview")
	}
	if s.Capturing != "" {
		stop := answer(w.Or("capture.stop", thing, "camera"), Warning, api.Answer{Ask: ask, Do: api.DoCancel})
		c.Running, c.Guidance, c.Banners = true, guidance(s), nil
		c.Name, c.Actions, c.Escape = c.Name+"_running", []Action{stop}, stop.Intent
		return c
	}
	c.Actions = []Action{answer(w.Say("capture."+thing+".start"), Primary, api.Answer{Ask: ask})}
	if ask == proof.ReadChip {
		c.Fields = []form.Field{{Key: "can", Label: w.Say("capture.chip.can")}}
		c.Actions = append(c.Actions, reopens(s, proof.CaptureDocument)...)
	}
	c.Actions = append(c.Actions, ways(s)...)
	c.Actions = append(c.Actions, reopens(s, proof.ExamineDocument, proof.ClaimIdentity)...)
	c.Actions = append(c.Actions, asides(s)...)
	c.Frame = passable(s, c.Frame)
	return c
}

// guidance is the one sentence beside the moving picture: the thing to do.
func guidance(s State) string {
	switch {
	case s.Capturing == proof.ReadChip && s.Guidance == nil:
		return s.Words.Say("capture.chip.look")
	case s.Guidance == nil:
		return s.Words.Say("capture.look")
	case *s.Guidance == proof.KindHoldChip:
		return s.Words.Say("capture.chip.percent", "percent", strconv.Itoa(s.Percent))
	case *s.Guidance == proof.KindNone:
		return s.Words.Say("capture.good")
	}
	_, next := s.Words.Problem(*s.Guidance)
	return next
}

// key is where three lines may be typed.
func key(s State) Screen {
	w, f := s.Words, asked(s, "key_document")
	f.Title, f.Lead = whose(s, w, w.Say("key.title")), []string{w.Say("key.lead"), w.Say("key.formats")}
	f.Actions = []Action{answer(w.Say("key.do"), Primary, api.Answer{Ask: proof.KeyDocument})}
	f.Actions = append(append(f.Actions, ways(s)...), asides(s)...)
	k := Key{Frame: passable(s, f)}
	for _, n := range form.LineKeys() {
		k.Lines = append(k.Lines, form.Field{Key: n, Label: w.Say("key.line", "n", n[len(n)-1:]), Mono: true})
	}
	return k
}

// examine is the look at the original.
func examine(s State) Screen {
	w, f := s.Words, asked(s, "examine")
	f.Title, f.Lead = whose(s, w, w.Say("exam.title")), []string{w.Say("exam.lead")}
	f.Actions = []Action{answer(w.Say("exam.do"), Primary, api.Answer{Ask: proof.ExamineDocument})}
	f.Actions = append(f.Actions, ways(s)...)
	f.Actions = append(append(f.Actions, reopens(s, proof.ReadChip, proof.CaptureDocument, proof.EnterEvidence)...), asides(s)...)
	e := Examine{
		Frame: passable(s, f), Details: w.Say("exam.details"), Features: w.Say("exam.features"), Doubts: w.Say("exam.doubts"),
		Original: form.Option{Key: "original", Label: w.Say("exam.original")}, UVIR: form.Option{Key: "uvir", Label: w.Say("exam.uvir")},
		Agreement: form.Choice{Key: "details", Label: w.Say("exam.agree.title"), Options: []form.Option{
			{Key: string(proof.Agree), Label: w.Say("exam.agree")},
			{Key: string(proof.Misread), Label: w.Say("exam.misread")},
			{Key: string(proof.Contradicts), Label: w.Say("exam.contradicts")},
		}},
		Page: Picture{"", w.Say("exam.page"), w.Say("word.nopicture")}, Portrait: Picture{"", w.Say("exam.portrait"), w.Say("word.nopicture")},
	}
	d := s.Visit.Document
	if d == nil {
		return e
	}
	for _, k := range d.Problems {
		e.Banners = append(e.Banners, problem(w, k))
	}
	e.Lines, e.Page.ID, e.Portrait.ID = documentLines(w, d), d.Page, d.Portrait
	for _, code := range d.Features {
		e.Seen = append(e.Seen, form.Option{Key: "seen." + code, Label: w.Feature(code)})
		e.Wrong = append(e.Wrong, form.Option{Key: "wrong." + code, Label: w.Feature(code)})
	}
	return e
}

// documentLines are the details as they were read.
func documentLines(w words.Words, d *api.Document) []Line {
	or := func(s string) string {
		if s == "" {
			return w.Say("word.unknown")
		}
		return s
	}
	lines := []Line{
		{w.Say("field.type"), w.Or("type", string(d.Type), "other")},
		{w.Say("field.surname"), or(d.Person.Surname.ICAO)},
		{w.Say("field.given"), or(d.Person.Given.ICAO)},
		{w.Say("field.birth"), w.Day(d.Person.Birth)},
		{w.Say("field.sex"), or(d.Person.Sex)},
		{w.Say("field.nationality"), or(d.Person.Nationality)},
		{w.Say("field.number"), or(d.Number)},
		{w.Say("field.issuer"), or(d.Issuer)},
		{w.Say("field.expiry"), w.Day(d.Expiry)},
		{w.Say("field.source"), w.Or("source", string(d.Source), "keys")},
	}
	if d.Chip != nil {
		lines = append(lines, Line{w.Say("field.chip"), chip(w, *d.Chip)})
	}
	return lines
}

// chip says in one sentence what a chip came to.
func chip(w words.Words, c api.Chip) string {
	worth := string(c.Verdict)
	switch {
	case c.Clone == proof.CloneFailed:
		worth = "copy"
	case c.Verdict == proof.ChipGenuine && c.Clone == proof.CloneNotChecked:
		worth = "copy_not_excluded"
	}
	return w.Or("chip", worth, "unreadable")
}

// compare is the operator's own comparison. The four answers look alike, so
// that none is suggested.
func compare(s State) Screen {
	w, f := s.Words, asked(s, "compare")
	f.Title, f.Lead = whose(s, w, w.Say("compare.title")), []string{w.Say("compare.lead")}
	for _, same := range []proof.Sameness{proof.Same, proof.Different, proof.NotSure, proof.NotTrained} {
		f.Actions = append(f.Actions, answer(w.Say("compare."+string(same)), Primary, api.Answer{Ask: proof.ComparePerson, Same: same}))
	}
	f.Actions = append(f.Actions, ways(s)...)
	f.Actions = append(f.Actions, reopens(s, proof.CaptureFace, proof.AskFaceConsent, proof.ExamineDocument)...)
	f.Actions = append(f.Actions, asides(s)...)
	c := Compare{
		Frame: passable(s, f), Portrait: Picture{"", w.Say("compare.portrait"), w.Say("word.nopicture")},
		Live:    Picture{"", w.Say("compare.live"), w.Say("compare.nolive")},
		Machine: Banner{Info, w.Say("compare.machine"), []string{w.Say("compare.machine.none")}},
	}
	if d := s.Visit.Document; d != nil {
		c.Portrait.ID = d.Portrait
	}
	if face := s.Visit.Face; face != nil {
		c.Live.ID = face.Live
		c.Machine.Texts = []string{w.Or("compare.machine", string(face.Decision), "none")}
	}
	return c
}

// abandon asks why the visit ends.
func abandon(s State) Screen {
	w, f := s.Words, frame(s, "abandon")
	f.Title, f.Lead = w.Say("abandon.title"), []string{w.Say("abandon.lead")}
	f.Actions = []Action{
		answer(w.Say("abandon.do"), Warning, api.Answer{Do: api.DoAbandon}),
		act(w.Say("act.back"), Secondary, DoClose),
	}
	f.Escape = Intent{Verb: DoClose}
	a := Abandon{Frame: passable(s, f), Reason: form.Choice{Key: "reason", Label: w.Say("abandon.reason")}}
	for _, code := range []proof.Code{proof.PatientLeft, proof.NoSuitableDocument, proof.ClerkStopped} {
		a.Reason.Options = append(a.Reason.Options, form.Option{Key: string(code), Label: w.Reason(proof.Reason{Code: code})})
	}
	return a
}
