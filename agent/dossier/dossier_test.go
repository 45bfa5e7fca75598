package dossier_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/casework"
	"github.com/counterproof/counterproof/agent/dossier"
	"github.com/counterproof/counterproof/agent/export"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

// state folds a golden visit, as one outside training where a case needs that.
func state(t testing.TB, name string) route.State {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "route", "testdata", "logs", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []proof.Event
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e proof.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if begin, is := e.Fact.(proof.VisitStarted); is {
			begin.Site, begin.Policy = "FWC87", gpg45.Default
			e.Fact = begin
		}
		events = append(events, e)
	}
	return route.Fold(events)
}

// dossierOf is a golden visit after the simulated sources were asked.
func dossierOf(t testing.TB, name string, earlier ...route.State) casework.Dossier {
	t.Helper()
	policy, err := gpg45.Load(gpg45.Default)
	if err != nil {
		t.Fatal(err)
	}
	world, err := source.NewSimulator(source.Table{})
	if err != nil {
		t.Fatal(err)
	}
	d := casework.Dossier{
		Ref: wire.RecordID{1}.Ref(), State: state(t, name), Policy: policy, Decided: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Number: "9992000007",
	}
	s := d.State
	var questions []source.Question
	for _, c := range source.OfPerson() {
		questions = append(questions, source.Question{Check: c, Person: s.Claimed(), Today: s.Today()})
	}
	for _, p := range s.Pieces() {
		for _, c := range source.OfDocument() {
			doc := source.Document{Type: p.Type(), Issuer: p.Issuer(), Number: p.Number()}
			questions = append(questions, source.Question{Check: c, Person: s.Claimed(), Today: s.Today(), Document: doc, Event: p.Event()})
		}
	}
	d.Answers = source.Ask(t.Context(), world.Sources(), questions)
	d.Known = verdict.Known{Earlier: earlier, Record: nhs.OneExact, Vouchers: map[int]proof.Level{}}
	d.Known.Sources, d.Known.Documents = source.Scores(d.Answers, policy.Unconfirmed())
	d.Final = verdict.Final(s, policy, d.Known)
	return d
}

// claims are the parts of verified_claims that these tests look at.
type claims struct {
	Verified struct {
		Verification struct {
			Framework string `json:"trust_framework"`
			Level     string `json:"assurance_level"`
			Process   struct {
				Procedure string `json:"procedure"`
			} `json:"assurance_process"`
			Evidence []struct {
				Type   string `json:"type"`
				Checks []struct {
					Method string `json:"check_method"`
				} `json:"check_details"`
			} `json:"evidence"`
		} `json:"verification"`
		Claims map[string]string `json:"claims"`
	} `json:"verified_claims"`
}

func TestVerifiedClaims(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, log         string
		earlier           []string
		level, procedure  string
		evidence, methods []string // types, and methods of the first piece
	}{
		{"passport", "photo-under-uv", nil, "high", "", []string{"document", "electronic_record", "electronic_record"}, []string{"vpip", "vpiruv", "data", "pvp"}},
		{"licence", "licence-proved", nil, "medium", "m1b", []string{"document", "electronic_record", "electronic_record"}, []string{"vpip", "pvp"}},
		{"two-documents", "evidence-two-documents", nil, "", "", []string{"document", "document", "electronic_record", "electronic_record"}, nil},
		{"vouch", "vouch-pending", nil, "low", "l1a", []string{"vouch", "electronic_record", "electronic_record"}, []string{"vdig", "pvp"}},
		{"joined", "licence-proved", []string{"certificates-only"}, "", "", []string{"document", "document", "document", "electronic_record", "electronic_record"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var earlier []route.State
			for _, log := range c.earlier {
				earlier = append(earlier, state(t, log))
			}
			d := dossierOf(t, c.log, earlier...)
			text, err := export.VerifiedClaims(dossier.Proofing(d))
			if err != nil {
				t.Fatalf("%s, %s, %+v: %v", d.Final.Level, d.Final.Profile, d.Final.Scores, err)
			}
			var got claims
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			v := got.Verified.Verification
			var types, methods []string
			for _, e := range v.Evidence {
				types = append(types, e.Type)
			}
			for _, check := range v.Evidence[0].Checks {
				methods = append(methods, check.Method)
			}
			if c.level != "" && v.Level != c.level || c.procedure != "" && v.Process.Procedure != c.procedure || v.Framework != "x_training" {
				t.Errorf("level %s by %s of %s", v.Level, v.Process.Procedure, v.Framework)
			}
			slices.Sort(methods)
			slices.Sort(c.methods)
			if !slices.Equal(types, c.evidence) || c.methods != nil && !slices.Equal(slices.Compact(methods), c.methods) {
				t.Errorf("evidence %v with %v, want %v with %v", types, methods, c.evidence, c.methods)
			}
			if got.Verified.Claims["family_name"] != "SPECIMEN" || strings.Contains(string(text), "9992000007") {
				t.Errorf("it claims %v, or tells a number that was found", got.Verified.Claims)
			}
		})
	}
}

// A case outside training becomes a credential that names the level of
// confidence; one of training becomes none.
func TestCredential(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issue := export.Issuance{Key: key, Issuer: "https://issuer.example", Subject: "urn:case:1", At: time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)}
	d := dossierOf(t, "licence-proved")
	if _, err := export.IdentityCheck(dossier.Proofing(d), 0, issue); !errors.Is(err, export.ErrTraining) {
		t.Errorf("of training it is %v", err)
	}
	d.Final.Training = false
	for _, p := range d.State.Pieces() { // a licence needs its number
		p.Entered.Number = "SPECI803125MW9AB"
	}
	jwt, err := export.IdentityCheck(dossier.Proofing(d), 0, issue)
	if err != nil {
		t.Fatal(err)
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"vot":"P2"`, `"strengthScore":3`, `"verificationScore":3`, `"identityFraudScore":3`, `"personalNumber":"SPECI803125MW9AB"`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the credential does not say %s: %s", want, body)
		}
	}
}

// What came to nothing is laid out too, and the export refuses it.
func TestWhatIsNotProved(t *testing.T) {
	t.Parallel()
	for _, log := range []string{"photo-not-proved", "certificates-only", "photo-review", "practice-pending"} {
		d := dossierOf(t, log)
		p := dossier.Proofing(d)
		if p.Vot != "" {
			t.Errorf("%s has the level of confidence %s", log, p.Vot)
		}
		if _, err := export.VerifiedClaims(p); err == nil {
			t.Errorf("%s is exported", log)
		}
	}
}

// A vouch keeps who gave it, and a voucher's own proofing raises it here too.
func TestVouch(t *testing.T) {
	t.Parallel()
	d := dossierOf(t, "vouch-on-paper")
	weak := dossier.Proofing(d)
	for _, p := range d.State.Pieces() {
		d.Known.Vouchers[p.Vouch.Event] = proof.High
	}
	strong := dossier.Proofing(d)
	if len(weak.Pieces) == 0 || len(strong.Pieces) == 0 {
		t.Fatalf("%d and %d pieces", len(weak.Pieces), len(strong.Pieces))
	}
	a, b := weak.Pieces[0], strong.Pieces[0]
	if !a.Vouch.Paper || a.Score.Validity != 1 || b.Vouch.Paper || b.Score.Strength != 3 || b.Vouch.Name != "TAL VAUGHN" || b.Vouch.Occupation != "teacher" {
		t.Errorf("on paper %+v %+v, by a proved voucher %+v %+v", a.Score, *a.Vouch, b.Score, *b.Vouch)
	}
	if b.Vouch.Expires != b.Vouch.Given.AddDays(90) {
		t.Errorf("given %s, good until %s", b.Vouch.Given, b.Vouch.Expires)
	}
}
