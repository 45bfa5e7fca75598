package words_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// constsIn reads the constants of a type out of the Go source files that a
// pattern matches, tests left out.
func constsIn(t *testing.T, pattern, typ string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !isType(spec.Type, typ) {
				return true
			}
			for _, v := range spec.Values {
				codes = append(codes, literals(t, v)...)
			}
			return true
		})
	}
	return codes
}

// isType reports whether a type is written as the name, or as proof.name.
func isType(e ast.Expr, name string) bool {
	if sel, ok := e.(*ast.SelectorExpr); ok {
		return sel.Sel.Name == name
	}
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// literals reads the strings in a piece of source.
func literals(t *testing.T, n ast.Node) []string {
	t.Helper()
	var out []string
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		if text != "" {
			out = append(out, text)
		}
		return true
	})
	return out
}

// listIn reads the strings of the function or variable of a name in the Go files
// that a pattern matches: a closed list of the agent's, which this wing does not
// import.
func listIn(t *testing.T, pattern, name string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if body := declared(d, name); body != nil {
				return literals(t, body)
			}
		}
	}
	t.Fatalf("%s has no list %s", pattern, name)
	return nil
}

// declared is the body of a function or the value of a variable of a name, nil
// where a declaration is of another.
func declared(d ast.Decl, name string) ast.Node {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.Name == name && d.Recv == nil {
			return d.Body
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok && v.Names[0].Name == name {
				return v
			}
		}
	}
	return nil
}

func TestEveryReasonCodeHasASentence(t *testing.T) {
	for pattern, least := range map[string]int{
		"../../agent/gpg45/*.go": 60, "../../agent/nhs/*.go": 15, "../../agent/proof/*.go": 40, "../../agent/plan/*.go": 36,
		"../../agent/licence/*.go": 22,
	} {
		codes := constsIn(t, pattern, "Code")
		if len(codes) < least {
			t.Errorf("%s: %d codes found, want at least %d", pattern, len(codes), least)
		}
		for _, tag := range words.Languages() {
			for _, code := range codes {
				if w := words.In(tag); !w.Has("reason."+code) && !w.Has("vouch.call."+code) {
					t.Errorf("%s has no sentence for reason %s of %s", tag, code, pattern)
				}
			}
		}
	}
}

func TestEveryKindOfNewsHasASentence(t *testing.T) {
	kinds := constsIn(t, "../../sync/wire/*.go", "NoticeKind")
	if len(kinds) < 34 {
		t.Fatalf("%d kinds of news found", len(kinds))
	}
	for _, tag := range words.Languages() {
		w := words.In(tag)
		for _, k := range append(kinds, "other") {
			if text := w.Say("notice." + k); !w.Has("notice."+k) || !strings.HasSuffix(text, ".") {
				t.Errorf("%s says of news %s: %q", tag, k, text)
			}
		}
		for _, k := range w.Codes("notice") {
			if !slices.Contains(append(kinds, "other"), string(k)) {
				t.Errorf("%s has words for news %s, which nobody sends", tag, k)
			}
		}
	}
}

func TestEveryDeedAndStateOfAnAccountHasWords(t *testing.T) {
	for prefix, typ := range map[string]string{"deed": "DeedKind", "account": "AccountState"} {
		codes := constsIn(t, "../../agent/api/*.go", typ)
		if len(codes) < 5 {
			t.Errorf("%d constants of %s found", len(codes), typ)
		}
		for _, tag := range words.Languages() {
			for _, code := range codes {
				if !words.In(tag).Has(prefix + "." + code) {
					t.Errorf("%s has no words for %s %s", tag, prefix, code)
				}
			}
		}
	}
	for _, tag := range words.Languages() {
		for _, done := range constsIn(t, "../../agent/api/*.go", "ClerkDoing") {
			if !words.In(tag).Has("clerks.said." + done) {
				t.Errorf("%s does not say what became of %s", tag, done)
			}
		}
	}
}

func TestClosedListsAreTheAgents(t *testing.T) {
	const forms = "../../agent/entry/*.go"
	for prefix, want := range map[string][]string{
		"occupation": listIn(t, forms, "Occupations"), "relationship": listIn(t, forms, "Relationships"), "action": listIn(t, forms, "Actions"),
		"contact": listIn(t, forms, "Contacts"), "written": listIn(t, forms, "WrittenFormats"),
		"basis": listIn(t, "../../agent/*/*.go", "bases"),
	} {
		if len(want) < 3 {
			t.Errorf("%s: only %v was found", prefix, want)
		}
		for _, tag := range words.Languages() {
			var got []string
			for _, code := range words.In(tag).Codes(prefix) {
				got = append(got, string(code))
			}
			slices.Sort(got)
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Errorf("%s in %s:\n has %v\nwants %v", prefix, tag, got, want)
			}
		}
	}
}

func TestEveryStateOfARequestHasWords(t *testing.T) {
	for prefix, typ := range map[string]string{"request": "ProxyState", "result.title": "Result", "level": "Level", "nhs": "NHSLevel", "party": "Party"} {
		states := constsIn(t, "../../agent/proof/*.go", typ)
		if len(states) < 2 {
			t.Errorf("%s: only %v was found", typ, states)
		}
		for _, tag := range words.Languages() {
			for _, state := range states {
				if !words.In(tag).Has(prefix + "." + state) {
					t.Errorf("%s has no words for %s %s", tag, typ, state)
				}
			}
		}
	}
	if got := len(constsIn(t, "../../agent/proof/*.go", "RouteName")); got != len(words.In("en").Codes("route")) {
		t.Errorf("%d routes, words for %v", got, words.In("en").Codes("route"))
	}
}

func TestCodesKeepTheirOrder(t *testing.T) {
	if got := fmt.Sprint(words.In("en").Codes("written")); got != "[large_print braille audio]" {
		t.Errorf("written is %s", got)
	}
	if got := words.In("en").Codes("vouch.call"); len(got) != 3 || words.In("en").Codes("no_such_list") != nil {
		t.Errorf("call back is %v", got)
	}
	for _, prefix := range []string{"occupation", "relationship", "action", "contact", "written", "basis", "seen", "tongue", "feedback", "route"} {
		if en, cy := words.In("en").Codes(prefix), words.In("cy").Codes(prefix); !slices.Equal(en, cy) || len(en) < 3 {
			t.Errorf("%s is %v in English and %v in Welsh", prefix, en, cy)
		}
	}
}

func TestEveryKindHasASentenceAndANextStep(t *testing.T) {
	for _, tag := range words.Languages() {
		w := words.In(tag)
		for _, k := range append(proof.Kinds(), "unknown") {
			happened, next := w.Problem(k)
			if !w.Has("kind."+string(k)) || happened == "" || next == "" || strings.Contains(next, "|") {
				t.Errorf("%s: kind %s says %q and then %q", tag, k, happened, next)
			}
			if !strings.ContainsAny(happened[len(happened)-1:]+next[len(next)-1:], ".") {
				t.Errorf("%s: kind %s has no full sentences", tag, k)
			}
		}
	}
	if h, n := words.In("en").Problem(proof.KindNone); h != "" || n != "" {
		t.Error("no problem has words")
	}
}

func TestUnknownKindAndReasonStillSayWhatToDo(t *testing.T) {
	for _, tag := range words.Languages() {
		w := words.In(tag)
		if h, n := w.Problem("of_next_year"); !strings.Contains(h, "of_next_year") || n == "" {
			t.Errorf("%s: %q %q", tag, h, n)
		}
		if s := w.Reason(proof.Reason{Code: "of_next_year"}); !strings.Contains(s, "of_next_year") || s == "of_next_year" {
			t.Errorf("%s: %q", tag, s)
		}
	}
}

// bare takes away what differs by language: the plural's category.
func bare(keys []string) []string {
	plural := regexp.MustCompile(`^(plural\..*)\.[a-z]+$`)
	var out []string
	for _, k := range keys {
		out = append(out, plural.ReplaceAllString(k, "$1"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestLanguagesHaveTheSameKeysAndValues(t *testing.T) {
	en, cy := words.In("en"), words.In("cy")
	if a, b := bare(en.Keys()), bare(cy.Keys()); !slices.Equal(a, b) {
		for _, k := range a {
			if !slices.Contains(b, k) {
				t.Errorf("Welsh lacks %s", k)
			}
		}
		for _, k := range b {
			if !slices.Contains(a, k) {
				t.Errorf("English lacks %s", k)
			}
		}
	}
	names := regexp.MustCompile(`\{[a-z]+\}`)
	for _, k := range en.Keys() {
		if strings.HasPrefix(k, "plural.") || !cy.Has(k) {
			continue
		}
		a, b := names.FindAllString(en.Say(k), -1), names.FindAllString(cy.Say(k), -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s: English has the values %v, Welsh %v", k, a, b)
		}
		if same := en.Say(k) == cy.Say(k); same && len(names.ReplaceAllString(en.Say(k), "")) > 24 {
			t.Errorf("%s is not translated", k)
		}
	}
}

func TestEveryTypeOfEvidenceHasAName(t *testing.T) {
	raw, err := os.ReadFile("../../agent/gpg45/policy/gpg45-0.4.json")
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Types []struct{ Type string } `json:"evidence_types"`
		Not   []string                `json:"not_evidence"`
	}
	if err := json.Unmarshal(raw, &policy); err != nil || len(policy.Types) < 30 {
		t.Fatalf("%d types: %v", len(policy.Types), err)
	}
	types := append(policy.Not, constsIn(t, "../../agent/plan/*.go", "EvidenceType")...)
	for _, e := range policy.Types {
		types = append(types, e.Type)
	}
	for _, tag := range words.Languages() {
		w := words.In(tag)
		for _, e := range types {
			if !w.Has("type." + e) {
				t.Errorf("%s has no name for evidence %s", tag, e)
			}
		}
		if got := w.Type("of_next_year"); got != w.Say("type.other") {
			t.Errorf("%s calls unknown evidence %q", tag, got)
		}
	}
}

func TestEveryFeatureOfThePolicyHasAName(t *testing.T) {
	raw, err := os.ReadFile("../../agent/gpg45/policy/gpg45-0.4.json")
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Sets map[string][]string `json:"feature_sets"`
	}
	if err := json.Unmarshal(raw, &policy); err != nil || len(policy.Sets) < 3 {
		t.Fatalf("feature sets %v: %v", policy.Sets, err)
	}
	for _, tag := range words.Languages() {
		for _, set := range policy.Sets {
			for _, f := range set {
				if w := words.In(tag); w.Feature(f) == strings.ReplaceAll(f, "_", " ") {
					t.Errorf("%s has no name for feature %s", tag, f)
				}
			}
		}
	}
	if got := words.In("en").Feature("new_thing"); got != "new thing" {
		t.Errorf("unknown feature %q", got)
	}
}

func TestLanguageByTag(t *testing.T) {
	for tag, want := range map[string]string{"en": "en", "en-GB": "en", "cy": "cy", "CY-gb": "cy", "fr": "en", "": "en"} {
		if got := words.In(tag).Language(); got != want {
			t.Errorf("In(%q) is %s, want %s", tag, got, want)
		}
	}
}

func TestPlurals(t *testing.T) {
	for _, c := range []struct {
		tag, thing string
		n          int
		want       string
	}{
		{"en", "records", 1, "1 record"}, {"en", "records", 0, "0 records"}, {"en", "waiting", 3, "3 waiting"},
		{"en", "tries", 1, "tried once"}, {"en", "left", 2, "2 more tries"},
		{"cy", "records", 0, "0 cofnod"}, {"cy", "records", 1, "1 cofnod"}, {"cy", "records", 2, "2 gofnod"},
		{"cy", "records", 3, "3 chofnod"}, {"cy", "records", 6, "6 chofnod"}, {"cy", "records", 7, "7 cofnod"},
		{"cy", "hours", 2, "2 awr"}, {"cy", "tries", 3, "wedi cynnig deirgwaith"},
	} {
		if got := words.In(c.tag).Count(c.thing, c.n); got != c.want {
			t.Errorf("%s %s %d: %q, want %q", c.tag, c.thing, c.n, got, c.want)
		}
	}
}

func TestReasonsInWords(t *testing.T) {
	steps := proof.Reason{Code: "read_chip", Params: map[string]string{"level": "medium", "profile": "M1A", "steps": "read_chip,compare_person"}}
	for _, c := range []struct {
		tag    string
		reason proof.Reason
		want   string
	}{
		{"en", proof.Reason{Code: "strength_of_type", Params: map[string]string{"type": "passport", "strength": "3"}}, "Passport: strength 3."},
		{"cy", proof.Reason{Code: "strength_of_type", Params: map[string]string{"type": "passport", "strength": "3"}}, "Pasbort: cryfder 3."},
		{"en", proof.Reason{Code: "profile_met", Params: map[string]string{"level": "low", "profile": "L1B", "policy": "gpg45-0.4"}},
			"Level low: the checks meet profile L1B of gpg45-0.4."},
		{"en", proof.Reason{Code: "nhs_not_compared", Params: map[string]string{"verification": "2", "needed": "3"}},
			"Not P9: the comparison with a photo scored 2; 3 is needed."},
		{"en", steps, "To reach level medium (M1A): read the chip; and have a trained operator compare the person with the photo."},
		{"cy", steps, "I gyrraedd lefel canolig (M1A): darllen y sglodyn; a hefyd cael gweithredwr hyfforddedig i gymharu'r person â'r llun."},
		{"cy", proof.Reason{Code: "face_machine_aid", Params: map[string]string{"decision": "no_match"}},
			"Cymorth yw cymhariaeth y peiriant (person arall) ac nid yw'n sgorio dim."},
	} {
		if got := words.In(c.tag).Reason(c.reason); got != c.want {
			t.Errorf("%s %s:\n got %q\nwant %q", c.tag, c.reason.Code, got, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	w := words.In("en")
	at := time.Date(2026, 3, 31, 14, 5, 0, 0, time.UTC)
	for got, want := range map[string]string{
		w.Age(30 * time.Second): "just now", w.Age(5 * time.Minute): "5 min", w.Age(2*time.Hour + time.Minute): "2 h",
		w.Age(50 * time.Hour): "2 days", w.Clock(at): "14:05", w.Moment(at): "31/03/2026 14:05",
		w.Day(proof.Date{Year: 1974, Month: 8, Day: 12}): "12/08/1974", w.Day(proof.Date{Year: 1974, Month: 8}): "??/08/1974",
		w.Day(proof.Date{Year: 1974}): "??/??/1974", w.Day(proof.Date{}): "not told",
		w.Size(500_000): "489 kB", w.Size(3 << 20): "3.0 MB", w.Say("no.such.key"): "no.such.key",
		w.Or("role", "teapot", "other"): "Device", w.Or("role", "face_camera", "other"): "Face camera",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
