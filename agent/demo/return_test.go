package demo

import (
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/source"
)

func TestTokenOnASlip(t *testing.T) {
	t.Parallel()
	token := claim.New([10]byte{4, 7, 1, 1})
	slip := []string{"Identity check", "Your reference:", "7X4H-VA8K-RB6", "Your claim code. Keep it secret:", string(token), "Good until: 2027-02-21"}
	if got, err := tokenOn(slip); err != nil || got != token {
		t.Errorf("got %q, %v", got, err)
	}
	wrong := strings.Replace(string(token), string(token)[:1], "Z", 1)
	for name, slip := range map[string][]string{"none": slip[:4], "misread": {wrong}, "no-slip": nil} {
		if got, err := tokenOn(slip); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestPeopleAreKnownOutside: the simulated services know everybody of the
// demonstration and their documents, so that what comes back is what a patient
// would hear and not the answer to a stranger.
func TestPeopleAreKnownOutside(t *testing.T) {
	t.Parallel()
	table, err := source.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	known := func(surname, given string, birth proof.Date) bool {
		return slices.ContainsFunc(table.People, func(p source.Person) bool {
			return strings.EqualFold(p.Surname, surname) && strings.EqualFold(p.Given, given) && p.Birth == birth.String()
		})
	}
	for _, h := range []holder{wren, tal} {
		issued := slices.ContainsFunc(table.Documents, func(d source.Issued) bool {
			return d.Number == h.number && strings.EqualFold(d.Surname, h.surname) && d.Birth == h.birth.String()
		})
		if !known(h.surname, h.given, h.birth) || !issued {
			t.Errorf("%s is not known, or passport %s was not issued", h.given, h.number)
		}
	}
	for _, p := range []api.Identity{patient, child} {
		if !known(p.Surname, p.Given, p.Birth) {
			t.Errorf("%s is not known", p.Given)
		}
	}
	if known("Specimen", "Nobody", wren.birth) {
		t.Error("a stranger is known")
	}
}

// TestPassportsDiffer: each passport has its own dates, as fits the day, and the
// holder of the story.
func TestPassportsDiffer(t *testing.T) {
	t.Parallel()
	w, _ := quiet(t)
	one, two := w.passport(1), w.passport(2)
	if one.Number != tal.number || one.Surname != tal.surname || one.State != "UTO" {
		t.Errorf("without a holder the passport is %s %s of %s", one.Number, one.Surname, one.State)
	}
	if one.Expiry == two.Expiry && one.Issued == two.Issued {
		t.Error("two passports have the same dates")
	}
	w.story = story{page: wren}
	if p := w.passport(1); p.Number != wren.number || p.Birth != wren.birth {
		t.Errorf("the passport is %s", p.Number)
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	v := api.Visit{Asks: []proof.Ask{{Kind: proof.KeyDocument}, {Kind: proof.CaptureDocument, Problem: proof.KindDeviceMissing}}}
	if got := trouble(v); got != "device missing" {
		t.Errorf("the trouble is %q", got)
	}
	if got := trouble(api.Visit{}); got != "nothing" {
		t.Errorf("without trouble there is %q", got)
	}
}

func TestNewsIsTold(t *testing.T) {
	t.Parallel()
	w, out := quiet(t)
	w.tellNews(api.Notice{Kind: "nhs_p9", Slip: []string{"News of your check", "level P9"}})
	for _, text := range []string{"signed by the opener: nhs p9", "| News of your check", "| level P9"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not told in\n%s", text, out)
		}
	}
}
