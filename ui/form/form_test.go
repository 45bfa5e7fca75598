package form_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/words"
)

// typed makes what was typed; keys that begin with + are ticks.
func typed(values map[string]string) *form.Typed {
	t := &form.Typed{}
	for k, v := range values {
		if tick, ok := strings.CutPrefix(k, "+"); ok {
			t.SetTick(tick, true)
			continue
		}
		t.SetText(k, v)
	}
	return t
}

func TestExaminationFromTicks(t *testing.T) {
	v := &api.Visit{Events: 4, Document: &api.Document{Features: []string{"intaglio", "hologram", "watermark"}}}
	f := &form.Typed{}
	a := api.Answer{Ask: proof.ExamineDocument}
	if _, hint := form.Answer(a, f, v); hint.Key != "exam.choose" {
		t.Errorf("nothing chosen: %q", hint)
	}
	f.SetText("details", "agree")
	f.SetTick("original", true)
	f.SetTick("seen.intaglio", true)
	f.SetTick("wrong.hologram", true)
	f.SetTick("seen.not_of_this_document", true)
	got, hint := form.Answer(a, f, v)
	if hint.Key != "" || got.Seen != 4 || !got.Exam.Original || got.Exam.UVIR || !slices.Equal(got.Exam.Features, []string{"intaglio"}) || !slices.Equal(got.Exam.Doubts, []string{"hologram"}) {
		t.Errorf("%q %+v", hint, got.Exam)
	}
	f.SetTick("uvir", true)
	if got, _ := form.Answer(a, f, v); !got.Exam.UVIR {
		t.Error("ultraviolet light is not told")
	}
	f.SetTick("seen.hologram", true)
	if _, hint := form.Answer(a, f, v); hint.Key != "exam.both" {
		t.Errorf("both ticked: %q", hint)
	}
}

func TestRequestsFromWhatWasTyped(t *testing.T) {
	f := typed(map[string]string{
		"operator": " sam ", "secret": " 2718 ", "again": " 2718 ", "locked": "kim ", "name": "Sam", "code": " C ",
		"impostor": "2026-03-31", "line1": "p<uto ", "line3": " x", "language": "cy", "continues": " abcd-efgh ",
	})
	if got := form.SignIn(f); got != (api.SignIn{Operator: "sam", Secret: " 2718 "}) {
		t.Errorf("sign-in %+v", got)
	}
	if got := form.Unlock(f); got.Operator != "kim" || got.Supervisor.Operator != "sam" {
		t.Errorf("unlock %+v", got)
	}
	first, hint := form.First(f)
	if hint.Key != "" || first.Code != "C" || first.Training.Impostor != (proof.Date{Year: 2026, Month: 3, Day: 31}) || first.Training.Document.Year != 0 {
		t.Errorf("first %+v %q", first, hint)
	}
	f.SetText("document", "31/03/26")
	if _, hint := form.First(f); hint != (form.Hint{Key: "form.date", Field: "document"}) {
		t.Errorf("a year of two digits: %q", hint)
	}
	f.SetText("again", "other")
	if _, hint := form.First(f); hint.Key != "first.differs" {
		t.Errorf("two secrets: %q", hint)
	}
	want := api.NewVisit{Route: proof.Vouching, Language: "cy", Continues: "abcd-efgh"}
	if got := form.Visit(f, proof.Vouching); got != want {
		t.Errorf("visit %+v", got)
	}
	key, _ := form.Answer(api.Answer{Ask: proof.KeyDocument}, f, &api.Visit{})
	if !slices.Equal(key.Lines, []string{"P<UTO", "X"}) {
		t.Errorf("lines %q", key.Lines)
	}
	if _, hint := form.Answer(api.Answer{Do: api.DoAbandon}, f, &api.Visit{}); hint.Key != "abandon.choose" {
		t.Errorf("no reason: %q", hint)
	}
	f.SetText("reason", "patient_left")
	if a, hint := form.Answer(api.Answer{Do: api.DoAbandon}, f, &api.Visit{}); hint.Key != "" || a.Reason != proof.PatientLeft {
		t.Errorf("reason %+v %q", a, hint)
	}
}

func TestLineNotes(t *testing.T) {
	w := words.In("en")
	note := func(lines ...string) string {
		f := &form.Typed{}
		for i, l := range lines {
			f.SetText(fmt.Sprintf("line%d", i+1), l)
		}
		return form.LineNote(w, f, "line1")
	}
	x := func(n int) string { return strings.Repeat("<", n) }
	for _, c := range []struct{ rule, got, want string }{
		{"empty", note(""), "nothing typed yet"},
		{"passport/short", note(x(43)), "43 characters: 1 missing"},
		{"passport/right", note(x(44), x(12)), "44 characters: the length is right"},
		{"passport/long", note(x(46)), "46 characters: 2 too many"},
		{"two-of-36", note(x(36), x(20)), "36 characters: the length is right"},
		{"three-of-30", note(x(30), x(30), x(1)), "30 characters: the length is right"},
		{"three/long", note(x(31), x(30), x(1)), "31 characters: 1 too many"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.rule, c.got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	day := proof.Date{Year: 1985, Month: 3, Day: 31}
	for rule, c := range map[string]struct {
		typed string
		want  proof.Date
		ok    bool
	}{
		"slashes":          {"31/03/1985", day, true},
		"dots":             {"31.3.1985", day, true},
		"blanks":           {" 31 3 1985 ", day, true},
		"year-first":       {"1985-03-31", day, true},
		"nothing":          {"  ", proof.Date{}, true},
		"month":            {"3/1985", proof.Date{Year: 1985, Month: 3}, true},
		"year":             {"1985", proof.Date{Year: 1985}, true},
		"not-on-calendar":  {"30/02/1985", proof.Date{Year: 1985, Month: 2, Day: 30}, true},
		"leap-day":         {"29/02/2024", proof.Date{Year: 2024, Month: 2, Day: 29}, true},
		"two-digit-year":   {"31/03/85", proof.Date{}, false},
		"year-in-middle":   {"31/1985/03", proof.Date{}, false},
		"two-years":        {"1985/03/1985", proof.Date{}, false},
		"words":            {"31 March 1985", proof.Date{}, false},
		"minus":            {"-1/03/1985", proof.Date{Year: 1985, Month: 3, Day: 1}, true},
		"nought":           {"00/03/1985", proof.Date{}, false},
		"too-many":         {"1/2/3/1985", proof.Date{}, false},
		"too-long":         {"031/03/1985", proof.Date{}, false},
		"other-digits":     {"३१/०३/१९८५", proof.Date{}, false},
		"nothing-but-dots": {"...", proof.Date{}, false},
	} {
		if got, ok := form.ReadDate(c.typed); got != c.want || ok != c.ok {
			t.Errorf("%s: %q reads as %v %v", rule, c.typed, got, ok)
		}
	}
}

// FuzzReadDate: what is typed never breaks anything, and a date that was read has
// a year.
func FuzzReadDate(f *testing.F) {
	for _, s := range []string{"31/03/1985", "1985-03-31", "3/1985", "1985", "", "1/2/3/4", "-", "9999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := form.ReadDate(s)
		if ok && strings.TrimSpace(s) != "" && (d.Year < 1 || d.Year > 9999 || d.Month > 99 || d.Day > 99) {
			t.Errorf("%q reads as %v", s, d)
		}
		if !ok && d != (proof.Date{}) {
			t.Errorf("%q is refused and reads as %v", s, d)
		}
	})
}

// sheets are the asks that have a form.
var sheets = []proof.AskKind{
	proof.ClaimIdentity, proof.EnterEvidence, proof.GiveVouch, proof.GivePractice, proof.RequestProxy, proof.SecondPerson,
	proof.RedeemClaim, proof.SetPreferences, proof.GiveFeedback,
}

// visit is a visit that all forms are at home in.
func visit() *api.Visit {
	return &api.Visit{
		Language: "en", Events: 9, Bases: []proof.Code{"consent", "best_interests"},
		Outcome: &proof.Outcome{NHS: proof.P5},
	}
}

// keys are those of a form's parts, in order.
func keys(parts []form.Part) string {
	var all []string
	for _, p := range parts {
		switch p := p.(type) {
		case form.Field:
			all = append(all, p.Key)
		case form.Choice:
			all = append(all, p.Key)
		case form.Option:
			all = append(all, "+"+p.Key)
		case form.Group:
			for _, o := range p.Options {
				all = append(all, "+"+o.Key)
			}
		}
	}
	return strings.Join(all, " ")
}

func TestEveryFormSpeaksBothLanguages(t *testing.T) {
	raw := regexp.MustCompile(`^[a-z_]+\.[a-z_.0-9]+$|\{[a-z]+\}`)
	for _, tag := range words.Languages() {
		for _, ask := range sheets {
			v := visit()
			v.Language = tag
			parts := form.Parts(form.Question{Words: words.In(tag), Visit: v, Ask: ask})
			if len(parts) == 0 {
				t.Errorf("%s has no form", ask)
			}
			for _, p := range parts {
				for _, text := range texts(reflect.ValueOf(p)) {
					if text == "" || raw.MatchString(text) {
						t.Errorf("%s in %s shows %q", ask, tag, text)
					}
				}
			}
		}
	}
	if form.Parts(form.Question{Words: words.In("en"), Visit: visit(), Ask: proof.CaptureFace}) != nil {
		t.Error("a camera has a form")
	}
}

// texts are the labels and notes of a part.
func texts(v reflect.Value) []string {
	var out []string
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case name == "Label" && v.Type() != reflect.TypeFor[form.Says]():
			out = append(out, f.String())
		case name == "Note" && f.String() != "":
			out = append(out, f.String())
		case name == "Texts":
			out = append(out, f.Interface().([]string)...)
		case name == "Options":
			for j := range f.Len() {
				out = append(out, texts(f.Index(j))...)
			}
		}
	}
	return out
}

func TestNothingIsDecidedBeforehand(t *testing.T) {
	for _, ask := range sheets {
		for _, p := range form.Parts(form.Question{Words: words.In("en"), Visit: visit(), Ask: ask}) {
			if c, ok := p.(form.Choice); ok && c.Preset != "" {
				t.Errorf("%s: %s is chosen beforehand", ask, c.Key)
			}
		}
	}
}

func TestFieldsByKindOfEvidence(t *testing.T) {
	for kind, want := range map[proof.EvidenceType]string{
		"uk_dl":           "surname given birth sex issued expires issuer number postcode",
		"bus_pass":        "surname given birth number issuer expires",
		"birth_cert":      "surname given birth sex issued number issuer",
		"marriage_cert":   "surname former given birth issued number issuer",
		"bank_account":    "surname given number issuer issued postcode",
		"nino_record":     "surname given birth number postcode",
		"tenancy":         "surname given birth number issuer issued postcode",
		"":                "surname given former birth sex number issuer issued expires postcode",
		"kind_of_2031":    "surname given former birth sex number issuer issued expires postcode",
		"firearm_cert":    "surname given birth number issuer expires",
		"utility_account": "surname given number issuer issued postcode",
	} {
		q := form.Question{Words: words.In("en"), Visit: visit(), Ask: proof.EnterEvidence, Chosen: kind}
		if got := keys(form.Parts(q)); got != want {
			t.Errorf("%s asks for %s", kind, got)
		}
	}
	q := form.Question{Words: words.In("en"), Visit: visit(), Ask: proof.EnterEvidence, Chosen: "bank_account"}
	if got := form.LabelOf(form.Parts(q), "number"); got != "Last four digits of the account number" {
		t.Errorf("the number of an account is called %q", got)
	}
}

func TestWhatTheCameraReadIsFilledIn(t *testing.T) {
	v := visit()
	v.Prefill = &api.Fields{Number: "MORGA753116SM9IJ", Issued: proof.Date{Year: 2019, Month: 5, Day: 1}, Expires: proof.Date{Year: 2029, Month: 4}}
	v.Prefill.Surname, v.Prefill.Sex, v.Prefill.Birth = "MORGAN", "F", proof.Date{Year: 1976, Month: 3, Day: 11}
	typed := &form.Typed{}
	typed.SetText("surname", "") // cleared by the clerk
	for _, p := range form.Parts(form.Question{Words: words.In("en"), Visit: v, Ask: proof.EnterEvidence, Chosen: "uk_dl"}) {
		switch p := p.(type) {
		case form.Field:
			typed.Preset(p.Key, p.Preset)
		case form.Choice:
			typed.Preset(p.Key, p.Preset)
		}
	}
	typed.SetText("surname", "MORGAN")
	a, hint := form.Answer(api.Answer{Ask: proof.EnterEvidence}, typed, v)
	want := *v.Prefill
	if hint != (form.Hint{}) || *a.Fields != want {
		t.Errorf("%v: sends %+v, want %+v", hint, a.Fields, want)
	}
}

func TestAFieldThatWasClearedStaysEmpty(t *testing.T) {
	typed := &form.Typed{}
	typed.SetText("surname", "")
	typed.Preset("surname", "MORGAN")
	typed.Preset("given", "SARAH")
	if typed.Text("surname") != "" || typed.Text("given") != "SARAH" {
		t.Errorf("surname %q, given %q", typed.Text("surname"), typed.Text("given"))
	}
}

func TestSureIsAskedOnlyAfterANumberThatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		problem proof.Kind
		want    bool
	}{{proof.KindNone, false}, {proof.KindNumberWrong, true}, {proof.KindOddLetters, false}, {proof.KindDetailsMissing, false}} {
		q := form.Question{Words: words.In("en"), Visit: visit(), Ask: proof.EnterEvidence, Chosen: "uk_dl", Problem: c.problem}
		if got := strings.Contains(keys(form.Parts(q)), "+sure"); got != c.want {
			t.Errorf("%s: asked %v", c.problem, got)
		}
	}
	a, _ := form.Answer(api.Answer{Ask: proof.EnterEvidence}, typed(map[string]string{"surname": "X", "+sure": ""}), visit())
	if !a.Fields.Sure {
		t.Error("the tick is not sent")
	}
}

func TestWhatIsWrongStandsBesideItsField(t *testing.T) {
	wrong := func(ask proof.AskKind, problem proof.Kind, hint form.Hint) string {
		var all []string
		for _, p := range form.Parts(form.Question{Words: words.In("en"), Visit: visit(), Ask: ask, Problem: problem, Hint: hint}) {
			if f, ok := p.(form.Field); ok && (f.Suspect != "" || f.Wrong && f.Note != "") {
				all = append(all, f.Key)
			}
		}
		return strings.Join(all, " ")
	}
	for rule, c := range map[string]struct{ got, want string }{
		"number":    {wrong(proof.EnterEvidence, proof.KindNumberWrong, form.Hint{}), "number postcode"},
		"letters":   {wrong(proof.ClaimIdentity, proof.KindOddLetters, form.Hint{}), "surname given"},
		"dates":     {wrong(proof.GiveVouch, proof.KindDateWrong, form.Hint{}), "birth given_on known_since"},
		"reference": {wrong(proof.GiveVouch, proof.KindRefWrong, form.Hint{}), "proofing"},
		"token":     {wrong(proof.RedeemClaim, proof.KindTokenWrong, form.Hint{}), "token"},
		"contact":   {wrong(proof.SetPreferences, proof.KindContactWrong, form.Hint{}), "email mobile"},
		"practice":  {wrong(proof.GivePractice, proof.KindPracticeCodes, form.Hint{}), "ods account key"},
		"hint":      {wrong(proof.ClaimIdentity, "", form.Hint{Key: "form.date", Field: "birth"}), "birth"},
		"disk":      {wrong(proof.ClaimIdentity, proof.KindDiskFull, form.Hint{}), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: wrong are %q", rule, c.got)
		}
	}
}

func TestAnswersOfForms(t *testing.T) {
	v := visit()
	v.Language = "cy"
	answer := func(ask proof.AskKind, values map[string]string) api.Answer {
		a, hint := form.Answer(api.Answer{Ask: ask}, typed(values), v)
		if hint != (form.Hint{}) || a.Seen != 9 {
			t.Errorf("%s: hint %v, seen %d", ask, hint, a.Seen)
		}
		return a
	}
	who := answer(proof.ClaimIdentity, map[string]string{
		"surname": " Specimen ", "given": "Nia", "birth": "12/08/1984", "sex": "F", "postcode": "LS1 4AP", "nhs": "900 000 0009",
	})
	if got, want := *who.Identity, (api.Identity{
		Surname: "Specimen", Given: "Nia", Birth: proof.Date{Year: 1984, Month: 8, Day: 12}, Sex: "F", Postcode: "LS1 4AP", NHSNumber: "900 000 0009",
	}); got != want {
		t.Errorf("identity %+v", got)
	}
	vouch := answer(proof.GiveVouch, map[string]string{
		"surname": "Example", "occupation": "teacher", "organisation": "A school", "work_contact": "0113 496 0000", "known_since": "2019",
		"call_back": "call_confirmed", "proofing": "ABCD", "+present": "", "+signed": "",
	}).Vouch
	if vouch.Statement != "vouch-cy-1" || vouch.KnownSince.Year != 2019 || !vouch.Present || !vouch.Signed || vouch.Related || vouch.CallBack != proof.CallConfirmed ||
		vouch.Occupation != "teacher" || vouch.Contact != "0113 496 0000" || vouch.Proofing != "ABCD" || vouch.Voucher.Surname != "Example" {
		t.Errorf("vouch %+v", vouch)
	}
	if got := answer(proof.GivePractice, map[string]string{"ods": " a20047 ", "account": "123", "key": " aBcD "}).Practice; *got != (api.Practice{ODS: "a20047", Account: "123", Key: "aBcD"}) {
		t.Errorf("practice %+v", got)
	}
	proxy := answer(proof.RequestProxy, map[string]string{
		"relationship": "parent", "basis": "consent", "+seen.birth_cert": "", "+action.appointments": "", "+action.of_next_year": "",
		"until": "1/2/2027", "+agreed": "", "+alone": "",
	}).Proxy
	if fmt.Sprint(proxy.Seen, proxy.Actions) != "[birth_cert] [appointments]" || proxy.Text != "proxy-cy-1" || proxy.Language != "cy" ||
		!proxy.Agreed || !proxy.Alone || proxy.Interpreter || proxy.Until.Year != 2027 || proxy.Relationship != "parent" || proxy.Basis != "consent" {
		t.Errorf("proxy %+v", proxy)
	}
	if got := answer(proof.RedeemClaim, map[string]string{"token": "T", "email": "a@b.c", "mobile": "07"}).Claim; *got != (proof.ClaimRedeemed{Token: "T", Email: "a@b.c", Mobile: "07"}) {
		t.Errorf("claim %+v", got)
	}
	wish := answer(proof.SetPreferences, map[string]string{"contact": "letter", "tongue": "cy", "interpreter": "yes", "opt_out": "no", "pharmacy": "FWC87"}).Preferences
	if *wish != (proof.PreferencesGiven{Contact: "letter", Language: "cy", Interpreter: "yes", OptOut: "no", Pharmacy: "FWC87"}) {
		t.Errorf("wishes %+v", wish)
	}
	if got := answer(proof.GiveFeedback, map[string]string{"score": "4", "text": " kind "}).Feedback; *got != (proof.FeedbackGiven{Score: 4, Text: "kind"}) {
		t.Errorf("feedback %+v", got)
	}
}

func TestWhatIsMissingIsToldBeforeAnythingIsSent(t *testing.T) {
	for _, c := range []struct {
		ask    proof.AskKind
		values map[string]string
		want   form.Hint
	}{
		{proof.ClaimIdentity, nil, form.Hint{Key: "form.needed", Field: "surname"}},
		{proof.ClaimIdentity, map[string]string{"surname": "X"}, form.Hint{Key: "form.needed", Field: "birth"}},
		{proof.ClaimIdentity, map[string]string{"surname": "X", "birth": "soon"}, form.Hint{Key: "form.date", Field: "birth"}},
		{proof.EnterEvidence, map[string]string{"surname": "X", "expires": "1/1/30"}, form.Hint{Key: "form.date", Field: "expires"}},
		{proof.GiveVouch, nil, form.Hint{Key: "form.needed", Field: "occupation"}},
		{proof.GivePractice, map[string]string{"ods": "A20047"}, form.Hint{Key: "form.needed", Field: "account"}},
		{proof.RequestProxy, map[string]string{"relationship": "parent"}, form.Hint{Key: "form.needed", Field: "basis"}},
		{proof.RequestProxy, map[string]string{"relationship": "parent", "basis": "consent"}, form.Hint{Key: "form.actions"}},
		{proof.RedeemClaim, map[string]string{"token": "T", "email": "a@b.c"}, form.Hint{Key: "form.needed", Field: "mobile"}},
		{proof.GiveFeedback, map[string]string{"text": "fine"}, form.Hint{Key: "form.needed", Field: "score"}},
		{proof.ChooseEvidence, nil, form.Hint{Key: "form.evidence.none"}},
	} {
		if _, hint := form.Answer(api.Answer{Ask: c.ask}, typed(c.values), visit()); hint != c.want {
			t.Errorf("%s with %v: hint %v, want %v", c.ask, c.values, hint, c.want)
		}
	}
}

func TestEndingAccessNeedsNothingElse(t *testing.T) {
	a := api.Answer{Ask: proof.RequestProxy, Proxy: &proof.ProxyRequested{Withdraw: true}}
	got, hint := form.Answer(a, typed(map[string]string{"+agreed": "", "relationship": "parent"}), visit())
	if hint != (form.Hint{}) || !got.Proxy.Withdraw || got.Proxy.Agreed || got.Proxy.Relationship != "" || got.Proxy.Text != "proxy-en-1" {
		t.Errorf("%v %+v", hint, got.Proxy)
	}
	if a.Proxy.Text != "" {
		t.Error("the action itself was changed")
	}
}

func TestTheTable(t *testing.T) {
	v := visit()
	v.Choices = []api.Choice{{Type: "passport"}, {Type: "uk_dl"}, {Type: "birth_cert"}}
	ticks := typed(map[string]string{"+here.uk_dl": "", "+home.birth_cert": "", "+home.uk_dl": "", "+here.not_offered": ""})
	table, hint := form.Answer(api.Answer{Ask: proof.ChooseEvidence, Do: api.DoTable}, ticks, v)
	if hint != (form.Hint{}) || fmt.Sprint(table.Table.Here, table.Table.Home) != "[uk_dl] [birth_cert]" {
		t.Errorf("%v: table %+v", hint, table.Table)
	}
	one, hint := form.Answer(api.Answer{Ask: proof.ChooseEvidence}, ticks, v)
	if hint != (form.Hint{}) || one.Type != "uk_dl" || one.Table != nil {
		t.Errorf("%v: begins with %q", hint, one.Type)
	}
	ticks.SetTick("here.passport", true)
	if _, hint := form.Answer(api.Answer{Ask: proof.ChooseEvidence}, ticks, v); hint.Key != "form.evidence.one" {
		t.Errorf("two ticked: %v", hint)
	}
	if named, _ := form.Answer(api.Answer{Ask: proof.ChooseEvidence, Type: "passport"}, ticks, v); named.Type != "passport" {
		t.Errorf("a button of its own begins with %q", named.Type)
	}
	if _, hint := form.Answer(api.Answer{Ask: proof.ChooseEvidence, Do: api.DoTable}, &form.Typed{}, v); hint.Key != "form.evidence.none" {
		t.Errorf("an empty table: %v", hint)
	}
}

func TestASecondPersonSaysYesOrNo(t *testing.T) {
	v := visit()
	if _, hint := form.Second(typed(map[string]string{"operator": "kim"}), v); hint != (form.Hint{Key: "form.needed", Field: "second"}) {
		t.Errorf("without an answer: %v", hint)
	}
	for says, want := range map[string]bool{"yes": true, "no": false} {
		got, hint := form.Second(typed(map[string]string{"operator": " kim ", "secret": "271828", "second": says}), v)
		if hint != (form.Hint{}) || got.Confirms != want || got.Operator != "kim" || got.Secret != "271828" || got.Seen != 9 {
			t.Errorf("%s: %v %+v", says, hint, got)
		}
	}
}

func TestWishesByLevel(t *testing.T) {
	v := visit()
	full := "email mobile contact written tongue interpreter pharmacy opt_out"
	for level, want := range map[proof.NHSLevel]string{proof.P0: "email mobile", proof.P5: full, proof.P9: full, proof.ParentAttested: "email mobile"} {
		v.Outcome = &proof.Outcome{NHS: level}
		if got := keys(form.Parts(form.Question{Words: words.In("en"), Visit: v, Ask: proof.SetPreferences})); got != want {
			t.Errorf("%s asks for %s", level, got)
		}
	}
	a, _ := form.Answer(api.Answer{Ask: proof.SetPreferences}, &form.Typed{}, v)
	if *a.Preferences != (proof.PreferencesGiven{}) {
		t.Errorf("nothing asked for tells %+v", a.Preferences)
	}
}

func TestTheVouchersDetailsAreAskedOnlyWhereNothingProvedThem(t *testing.T) {
	v := visit()
	has := func() bool {
		return strings.Contains(keys(form.Parts(form.Question{Words: words.In("en"), Visit: v, Ask: proof.GiveVouch})), "surname")
	}
	if !has() {
		t.Error("a voucher without evidence is not asked who they are")
	}
	v.People = []api.Person{{}, {Party: proof.Voucher, Evidence: []api.Piece{{Type: "passport"}}}}
	if has() || !form.VoucherProved(v) {
		t.Error("a voucher who was proved here is asked who they are")
	}
	v.People[1].Evidence = nil
	if !has() {
		t.Error("a voucher whose evidence was taken back is not asked who they are")
	}
}

func TestNewsThatWasChosen(t *testing.T) {
	got, hint := form.Notice(typed(map[string]string{form.NoticeKey: "17"}), true)
	if hint != (form.Hint{}) || got != (api.NoticeSeen{ID: 17, Print: true}) {
		t.Errorf("%v %+v", hint, got)
	}
	if _, hint := form.Notice(&form.Typed{}, false); hint.Key == "" {
		t.Error("nothing chosen is sent")
	}
}

func TestWhatIsDeclaredIsInThePatientsLanguage(t *testing.T) {
	for ask, want := range map[proof.AskKind]string{proof.GiveVouch: "Yr hyn y mae'r person yn ei ddatgan", proof.RequestProxy: "Yr hyn y mae'n rhaid i'r claf ei wybod"} {
		v := visit()
		v.Language = "cy"
		parts := form.Parts(form.Question{Words: words.In("en"), Visit: v, Ask: ask})
		if s, ok := parts[0].(form.Says); !ok || s.Label != want || len(s.Texts) < 3 {
			t.Errorf("%s begins with %+v", ask, parts[0])
		}
	}
	v := visit()
	v.Language = "cy"
	parts := form.Parts(form.Question{Words: words.In("en"), Visit: v, Ask: proof.GiveFeedback})
	if c, ok := parts[0].(form.Choice); !ok || c.Label != "Sut yr oedd i chi" || len(c.Options) != 5 {
		t.Errorf("feedback begins with %+v", parts[0])
	}
}

func TestAccountsFromWhatWasTyped(t *testing.T) {
	f := typed(map[string]string{
		"operator": " kim ", "code": " k7m2 ", "secret": "135790", "again": "135790", "old": "806417", "name": " Kim Hart ",
		"role": "supervisor", "impostor": "31/03/2026", "uvir": "2026-01-02",
	})
	if got, hint := form.CodeSignIn(f); hint.Key != "" || got != (api.CodeSignIn{Operator: "kim", Code: "k7m2", Secret: "135790"}) {
		t.Errorf("code: %+v, %q", got, hint)
	}
	if got, hint := form.NewSecret(f); hint.Key != "" || got != (api.NewSecret{Old: "806417", Secret: "135790"}) {
		t.Errorf("secret: %+v, %q", got, hint)
	}
	trained := proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 31}, UVIR: proof.Date{Year: 2026, Month: 1, Day: 2}}
	if got, hint := form.NewClerk(f); hint.Key != "" || got != (api.NewClerk{Name: "Kim Hart", Role: proof.Supervisor, Training: trained}) {
		t.Errorf("new clerk: %+v, %q", got, hint)
	}
	if got, hint := form.ClerkChange(f); hint.Key != "" || got != (api.ClerkChange{Do: api.DoChangeClerk, Role: proof.Supervisor, Training: trained}) {
		t.Errorf("change: %+v, %q", got, hint)
	}
	if _, hint := form.Clerk(f); hint.Key != "clerks.first" {
		t.Errorf("nobody chosen: %q", hint)
	}
	f.SetText(form.ClerkKey, "lou")
	if id, hint := form.Clerk(f); id != "lou" || hint.Key != "" {
		t.Errorf("lou chosen: %q, %q", id, hint)
	}
}

func TestAccountsThatCannotBeRead(t *testing.T) {
	differs := typed(map[string]string{"secret": "135790", "again": "135791", "role": "clerk", "document": "yesterday"})
	if got, hint := form.CodeSignIn(differs); hint != (form.Hint{Key: "first.differs", Field: "again"}) || got.Secret != "" {
		t.Errorf("code: %+v, %q", got, hint)
	}
	if got, hint := form.NewSecret(differs); hint.Field != "again" || got.Secret != "" {
		t.Errorf("secret: %+v, %q", got, hint)
	}
	if _, hint := form.ClerkChange(differs); hint != (form.Hint{Key: "form.date", Field: "document"}) {
		t.Errorf("a day that is none: %q", hint)
	}
	if _, hint := form.NewClerk(differs); hint.Field != "name" {
		t.Errorf("no name: %q", hint)
	}
}

func TestAWrongDayOfTrainingStandsBesideItsField(t *testing.T) {
	of := proof.Operator{Role: proof.Clerk, Training: proof.Training{Impostor: proof.Date{Year: 2030, Month: 1, Day: 1}}}
	parts := form.ClerkParts(words.In("en"), &of, form.Hint{}, proof.KindDateWrong)
	if f, ok := parts[1].(form.Field); !ok || f.Suspect == "" || f.Preset != "01/01/2030" {
		t.Errorf("got %+v", parts[1])
	}
}
