package bureau

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/export"
	"github.com/counterproof/counterproof/agent/opener"
	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

var contact = &proof.PreferencesGiven{Email: "wren@example.org", Mobile: "+447700900123"}

// From a counter to the centre, through the opener and all that is outside, and
// the news back to the counter; exported in the end.
func TestWholeLine(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	one, two := l.counter("FWC87"), l.counter("FA123")
	proved := one.send(visit{log: "photo-proved", prefs: contact})
	review := one.send(visit{log: "photo-review"})
	first := one.send(visit{log: "certificates-only"})
	if out := l.run(); strings.Count(out, "\n") != 3 {
		t.Fatalf("the opener shows %q", out)
	}
	second := two.send(visit{log: "licence-proved", continues: first, prefs: contact})
	l.run()
	one.hears(proved, "final_raised", "nhs_p9", "account_ready")
	one.hears(review, "review_open")
	one.hears(first, "more_needed", "letter_sent")
	two.hears(second, "joined", "final_raised", "nhs_p9", "account_ready")

	if out := l.must("review"); !strings.HasPrefix(out, string(review)) || !strings.Contains(out, "sent_to_team") || strings.Count(out, "\n") != 1 {
		t.Errorf("the reviews are %q", out)
	}
	if out := l.must("review", strings.ToLower(string(review)), "fail", "--by", "lead.1"); !strings.HasPrefix(out, string(review)) {
		t.Errorf("the decision says %q", out)
	}
	l.run()
	one.hears(review, "review_open", "review_failed", "letter_sent")
	if out := l.must("review"); out != "" {
		t.Errorf("after it the reviews are %q", out)
	}

	// The log from its beginning tells nobody anything twice.
	if err := os.Remove(filepath.Join(l.data, "cursor")); err != nil {
		t.Fatal(err)
	}
	l.run()
	one.hears(proved, "final_raised", "nhs_p9", "account_ready")
	exports(t, l, wire.Ref(proved), wire.Ref(review))
	l.nameNobody()
}

// exports writes a proved case in both forms.
func exports(t *testing.T, l *line, proved, review wire.Ref) {
	t.Helper()
	var got struct {
		Verified struct {
			Verification struct {
				Level string `json:"assurance_level"`
			} `json:"verification"`
			Claims map[string]string `json:"claims"`
		} `json:"verified_claims"`
	}
	out := l.must("export", string(proved), "--simulate")
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Verified.Verification.Level != "medium" || got.Verified.Claims["family_name"] != "SPECIMEN" {
		t.Errorf("verified_claims are %q, %v", out, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "issuer.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	issue := []string{"export", string(proved), "--simulate", "--as", "one_login", "--key", path, "--issuer", "us", "--subject", "urn:case:1"}
	if out, err := l.command(issue...); !errors.Is(err, export.ErrTraining) || out != "" {
		t.Errorf("a credential of a training case is %q, %v", out, err)
	}
	for name, args := range map[string][]string{
		"failed":        {string(review), "--simulate"},
		"unknown":       {string(wire.RecordID{99}.Ref()), "--simulate"},
		"no-reference":  {"ABC", "--simulate"},
		"no-services":   {string(proved)},
		"no-such-form":  {string(proved), "--simulate", "--as", "xml"},
		"no-issuer":     {string(proved), "--simulate", "--as", "one_login", "--key", path},
		"no-key-there":  {string(proved), "--simulate", "--as", "one_login", "--key", path + "x", "--issuer", "us", "--subject", "s"},
		"no-file-there": {string(proved), "--services", path + "x"},
	} {
		if out, err := l.command(append([]string{"export"}, args...)...); err == nil || out != "" {
			t.Errorf("%s: exported %q", name, out)
		}
	}
}

// A claim token is redeemed once, at another site, and refused twice.
func TestTokenOverTheLine(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	one, two := l.counter("FWC87"), l.counter("PO123")
	token := claim.New([10]byte{7, 7})
	owner := one.send(visit{log: "photo-proved", token: token})
	l.run()
	var tries []proof.Ref
	for range 3 {
		tries = append(tries, two.send(visit{log: "claim-redeemed", redeems: token}))
		l.run()
	}
	two.hears(tries[0], "claim_used", "account_ready")
	two.hears(tries[1], "claim_refused")
	two.hears(tries[2], "claim_refused")
	one.hears(owner, "final_raised", "nhs_p9", "claim_ready", "letter_sent", "claim_used")
	if letters, err := os.ReadDir(filepath.Join(Folder(l.data), "letters")); err != nil || len(letters) != 1 || letters[0].Name() != string(owner)+".pdf" {
		t.Errorf("%d letters, %v", len(letters), err)
	}
	l.nameNobody()
}

// Without services records are opened and shown, and no case begins.
func TestRunWithoutServices(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.counter("FWC87").send(visit{log: "photo-proved"})
	if out := l.must("run", "--once"); !strings.Contains(out, "L1B") {
		t.Errorf("it shows %q", out)
	}
	if _, err := os.Stat(Folder(l.data)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a casework: %v", err)
	}
	if out := l.must("review"); out != "" {
		t.Errorf("the reviews are %q", out)
	}
}

func TestSimulationIsForTraining(t *testing.T) {
	t.Parallel()
	l := &line{t: t, data: t.TempDir()}
	l.must("keygen")
	if _, err := l.command("run", "--once", "--simulate"); !errors.Is(err, errNoTraining) {
		t.Errorf("without a training enrolment it is %v", err)
	}
	if _, err := l.command("run", "--once", "--simulate", "--services", "x"); err == nil {
		t.Error("services are simulated and real at once")
	}
	if _, err := l.command("run", "--once", "--services", filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file is %v", err)
	}
}

func TestServicesFromAFile(t *testing.T) {
	t.Parallel()
	l := &line{t: t, data: t.TempDir()}
	l.must("keygen")
	file := filepath.Join(t.TempDir(), "services.json")
	if err := os.WriteFile(file, []byte(`{"pds":{"address":"https://pds.example"},"sites":{"PO123":"FWC87"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := opener.Open(opener.Config{Dir: l.data})
	if err != nil {
		t.Fatal(err)
	}
	w, err := Services{File: file}.Worker(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Use(w)
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(Folder(l.data), "ledger.jsonl")); err != nil {
		t.Errorf("there is no ledger: %v", err)
	}
}

func TestDecisionsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	l := &line{t: t, data: t.TempDir()}
	ref := string(wire.RecordID{1}.Ref())
	for name, args := range map[string][]string{
		"half":         {"review", ref},
		"other-word":   {"review", ref, "maybe"},
		"no-reference": {"review", "ABC", "pass"},
		"staff":        {"review", ref, "pass", "--by", "two words"},
		"outcome":      {"decide", ref, "nhs_p9"},
		"no-kind":      {"decide", ref},
	} {
		if out, err := l.command(args...); err == nil {
			t.Errorf("%s: taken, %q", name, out)
		}
	}
	for _, args := range [][]string{{"review", ref, "pass"}, {"review", ref, "fail"}, {"decide", ref, "proxy_granted"}} {
		if out := l.must(args...); !strings.HasPrefix(out, ref) {
			t.Errorf("%v says %q", args, out)
		}
	}
	if left, err := os.ReadDir(filepath.Join(Folder(l.data), "decisions")); err != nil || len(left) != 3 {
		t.Errorf("%d decisions are left, %v", len(left), err)
	}
}

// What a result is as a case.
func TestOpened(t *testing.T) {
	t.Parallel()
	ref := wire.RecordID{1}.Ref()
	for _, kind := range []opener.Kind{opener.KindDamaged, opener.KindOtherVisit} {
		if o, is := opened(opener.Result{Report: check.Report{Kind: kind}, Ref: ref, Agent: "agent-7"}); !is || !o.Damaged || o.Agent != "agent-7" {
			t.Errorf("%s: it is %+v, %t", kind, o, is)
		}
	}
	for _, r := range []struct {
		kind opener.Kind
		ref  wire.Ref
	}{
		{opener.KindDamaged, ""}, {opener.KindUnknownKey, ref}, {opener.KindSignature, ref}, {opener.KindTraining, ref},
		{opener.KindUnreadable, ref}, {opener.KindErased, ref},
	} {
		if _, is := opened(opener.Result{Report: check.Report{Kind: r.kind}, Ref: r.ref}); is {
			t.Errorf("%s is a case", r.kind)
		}
	}
}

// The issuer's key is an EC key that only its owner may read.
func TestIssuersKey(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	eight, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.pem")
	for name, c := range map[string]struct {
		text []byte
		mode os.FileMode
		good bool
	}{
		"pkcs8":       {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: eight}), 0o600, true},
		"open-to-all": {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: eight}), 0o644, false},
		"rubbish":     {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), 0o600, false},
		"no-pem":      {[]byte("x"), 0o600, false},
	} {
		if err := errors.Join(os.WriteFile(path, c.text, 0o600), os.Chmod(path, c.mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := readKey(path); (err == nil) != c.good {
			t.Errorf("%s: %v, want it read: %t", name, err, c.good)
		}
	}
}
