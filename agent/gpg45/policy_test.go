package gpg45

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

func TestPoliciesOfTheProgram(t *testing.T) {
	t.Parallel()
	versions, err := Policies()
	if err != nil || !slices.Contains(versions, Default) {
		t.Fatalf("versions %v (%v), want %s among them", versions, err, Default)
	}
	for _, v := range versions {
		p, err := Load(v)
		if err != nil {
			t.Fatal(err)
		}
		if p.Version() != v {
			t.Errorf("policy %s calls itself %s", v, p.Version())
		}
	}
	if _, err := Load("gpg45-9.9"); err == nil {
		t.Error("a version that is not there was loaded")
	}
	if _, err := Load("../policy/gpg45-0.4"); err == nil {
		t.Error("a path was loaded")
	}
}

func TestDefaultPolicy(t *testing.T) {
	t.Parallel()
	p := current(t)
	perLevel := map[proof.Level]int{}
	for _, profile := range p.Profiles() {
		perLevel[profile.Level]++
	}
	want := map[proof.Level]int{proof.Low: 6, proof.Medium: 8, proof.High: 9, proof.VeryHigh: 9}
	for level, n := range want {
		if perLevel[level] != n {
			t.Errorf("%d profiles of level %s, want %d", perLevel[level], level, n)
		}
	}
	if n := len(p.Profiles()); n != 32 {
		t.Errorf("%d profiles, want 32", n)
	}
	if len(p.Features(proof.Passport)) < 5 || len(p.Features("bank_account")) != 0 {
		t.Error("features of a passport are to be examined, those of a bank account are not")
	}
	for profile, level := range map[string]string{"L1A": "P1", "M1B": "P2", "H1A": "P3", "L1B": "", "H2E": ""} {
		if got := p.OneLogin(profile); got != level {
			t.Errorf("One Login level of %s is %q, want %q", profile, got, level)
		}
	}
	if err := p.NHS().Validate(); err != nil {
		t.Error(err)
	}
	if u := p.Unconfirmed(); u.VouchVerification != 1 || u.VouchActivity != 0 {
		t.Errorf("a vouch is worth %+v", u)
	}
}

// TestStrengths holds the strengths of text 0.4 and our choices where it is
// silent.
func TestStrengths(t *testing.T) {
	t.Parallel()
	p := current(t)
	want := map[int]string{
		4: "passport_chip eea_id_chip brp_chip",
		3: "passport eea_id uk_dl eu_dl ni_electoral us_passport_card bank_account student_loan credit_account mortgage loan tacho_card forces_id pass_ref eidas_high",
		2: "ho_travel birth_cert adoption_cert bus_pass education_cert tenancy pass_card freedom_pass marriage_cert utility_account firearm_cert eidas_sub nino_record",
		1: "other insurance us_driving_licence something_new",
		0: "vouch",
	}
	for strength, types := range want {
		for _, name := range strings.Fields(types) {
			if got := p.known(proof.EvidenceType(name)).Strength; got != strength {
				t.Errorf("strength of %s is %d, want %d", name, got, strength)
			}
		}
	}
}

// TestParseIsUnforgiving plants one mistake at a time in the good file.
func TestParseIsUnforgiving(t *testing.T) {
	t.Parallel()
	good, err := files.ReadFile("policy/" + Default + ".json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, says string }{
		{"version/missing", `"gpg45-0.4"`, `""`, "policy_version"},
		{"version/path", `"gpg45-0.4"`, `"../../x"`, "policy_version"},
		{"key/misspelt", `"grace_days":`, `"grace_day":`, "unknown field"},
		{"profile/twice", `"name": "L1B"`, `"name": "L1A"`, "no name of its own"},
		{"profile/level", `"level": "high"`, `"level": "highest"`, "not a level"},
		{"profile/none", `"level": "high"`, `"level": "none"`, "not a level"},
		{"profile/no-evidence", `"evidence": [[2, 2]], "activity": 0`, `"evidence": [], "activity": 0`, "pieces"},
		{"profile/unchecked-evidence", `[[2, 2]], "activity": 0`, `[[2, 0]], "activity": 0`, "not checked"},
		{"profile/strength", `[[2, 2]], "activity": 0`, `[[5, 2]], "activity": 0`, "strength"},
		{"profile/fraud", `"activity": 0, "fraud": 1`, `"activity": 0, "fraud": 4`, "fraud"},
		{"profile/too-easy", `[[4, 2]], "activity": 0, "fraud": 1, "verification": 2`, `[[2, 2]], "activity": 0, "fraud": 1, "verification": 1`, "no more than"},
		{"type/twice", `"type": "uk_dl"`, `"type": "eu_dl"`, "code of its own"},
		{"type/strength", `"type": "uk_dl", "strength": 3`, `"type": "uk_dl", "strength": 0`, "strength"},
		{"type/features", `"features": "paper"`, `"features": "papyrus"`, "no feature set"},
		{"type/chip", `"chip": "passport_chip"`, `"chip": "passport_chop"`, "chip type"},
		{"feature/twice", `"background_print", "fonts_alignment", "intaglio", "hologram"`, `"hologram", "hologram"`, "twice"},
		{"unknown-type/strong", `"unknown_type": "other"`, `"unknown_type": "passport"`, "unknown_type"},
		{"months/none", `"examined_months": 36`, `"examined_months": 0`, "examined_months"},
		{"months/for-ever", `"uvir_months": 12`, `"uvir_months": 9999`, "uvir_months"},
		{"features/none-needed", `"examined_features": 3`, `"examined_features": 0`, "examined_features"},
		{"grace/negative", `"grace_days": 0`, `"grace_days": -1`, "grace_days"},
		{"grace/by-type", `"grace_days_by_type": {}`, `"grace_days_by_type": {"uk_dl": 99999}`, "uk_dl"},
		{"verification/no-validity", `"needs_validity": 2`, `"needs_validity": 0`, "needs_validity"},
		{"verification/months", `"recent_months": 12`, `"recent_months": 48`, "recent_months"},
		{"verification/scores", `"recent_score": 3`, `"recent_score": 1`, "compared_score"},
		{"verification/remote", `"remote_score": 2`, `"remote_score": 4`, "remote_score"},
		{"one-login/profile", `"P3": ["H1A"]`, `"P3": ["H9Z"]`, "no profile"},
		{"vouch/worth", `"vouch_paper": [2, 1]`, `"vouch_paper": [0, 1]`, "vouch"},
		{"vouch/paper-worth-more", `"vouch_paper": [2, 1]`, `"vouch_paper": [3, 1]`, "vouch"},
		{"vouch/digital-worth-most", `"vouch_digital": [2, 2]`, `"vouch_digital": [2, 3]`, "vouch"},
		{"vouch/as-a-document", `"form": "vouch"`, `"strength": 2`, "declared"},
		{"vouch/with-a-strength", `"form": "vouch"`, `"form": "vouch", "strength": 2`, "vouch"},
		{"type/form", `"form": "zone"`, `"form": "telepathy"`, "telepathy"},
		{"vouch/verification", `"vouch_verification": 1`, `"vouch_verification": 9`, "verification"},
		{"vouch/years", `"vouch_known_years": 2`, `"vouch_known_years": -2`, "vouch_known_years"},
		{"activity/months", `"activity_months": [3, 6, 12, 36]`, `"activity_months": [3, 12, 6, 36]`, "activity_months"},
		{"nhs/level", `"p9_level": "medium"`, `"p9_level": "none"`, "nhs"},
		{"text/after", "\n}\n", "\n}\n{}", "after its end"},
		{"text/not-json", "{\n", "[\n", "reading a policy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !bytes.Contains(good, []byte(c.old)) {
				t.Fatalf("the policy has no %s", c.old)
			}
			bad := bytes.Replace(good, []byte(c.old), []byte(c.new), 1)
			if c.name == "text/after" {
				bad = append(slices.Clone(good), '{', '}')
			}
			_, err := Parse(bad)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error about %q", err, c.says)
			}
		})
	}
	if _, err := Parse(good); err != nil {
		t.Fatalf("the good file is refused: %v", err)
	}
	if _, err := Parse(make([]byte, maxPolicy+1)); err == nil {
		t.Error("a huge file is read")
	}
}

// TestParseTakesAnotherVersion is a second file dropped in.
func TestParseTakesAnotherVersion(t *testing.T) {
	t.Parallel()
	good, err := files.ReadFile("policy/" + Default + ".json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("gpg45-0.4", "gpg45-1.0", `"recent_months": 12`, `"recent_months": 24`).Replace(string(good))
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f := passportFacts()
	f.Documents[0].Person.Trained.Impostor = proof.Date{Year: 2025, Month: 3, Day: 1} // 20 months
	a, err := p.Assess(f)
	if err != nil || a.Scores.Verification != 3 || a.Policy != "gpg45-1.0" {
		t.Errorf("verification %d by %s (%v), want 3 by gpg45-1.0", a.Scores.Verification, a.Policy, err)
	}
}

func FuzzParse(f *testing.F) {
	good, err := files.ReadFile("policy/" + Default + ".json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	var compact bytes.Buffer
	if err := json.Compact(&compact, good); err != nil {
		f.Fatal(err)
	}
	f.Add(compact.Bytes())
	f.Add([]byte(`{"policy_version":"x","profiles":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		// Whatever was accepted gives no level for nothing, and does not panic.
		r, err := p.Match(proof.Scores{Activity: 4, Fraud: 3, Verification: 4})
		if err != nil || r.Level != proof.NoLevel {
			t.Fatalf("no evidence came to %+v (%v)", r, err)
		}
		if _, err := p.Assess(passportFacts()); err != nil {
			t.Fatal(err)
		}
	})
}
