package words_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// codesIn reads the constants of type Code out of a Go source file.
func codesIn(t *testing.T, path string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !isCode(spec.Type) {
			return true
		}
		for _, v := range spec.Values {
			if lit, ok := v.(*ast.BasicLit); ok {
				code, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				codes = append(codes, code)
			}
		}
		return true
	})
	return codes
}

// isCode reports whether a type is written Code or proof.Code.
func isCode(e ast.Expr) bool {
	if sel, ok := e.(*ast.SelectorExpr); ok {
		return sel.Sel.Name == "Code"
	}
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "Code"
}

func TestEveryReasonCodeHasASentence(t *testing.T) {
	for path, least := range map[string]int{
		"../../agent/gpg45/reason.go": 50, "../../agent/nhs/level.go": 15, "../../agent/proof/proof.go": 18,
	} {
		codes := codesIn(t, path)
		if len(codes) < least {
			t.Errorf("%s: %d codes found, want at least %d", path, len(codes), least)
		}
		for _, tag := range words.Languages() {
			for _, code := range codes {
				if w := words.In(tag); !w.Has("reason." + code) {
					t.Errorf("%s has no sentence for reason %s of %s", tag, code, path)
				}
			}
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
