package gpg45

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"pgregory.net/rapid"
)

// today of all facts in these tests.
var today = proof.Date{Year: 2026, Month: 11, Day: 22}

// clerk is who examines and compares.
var clerk = proof.Actor{Kind: proof.ByPerson, ID: "clerk-1"}

// trained 10 months before today.
var trained = proof.Training{
	Impostor: proof.Date{Year: 2026, Month: 1, Day: 22},
	Document: proof.Date{Year: 2026, Month: 1, Day: 22},
	UVIR:     proof.Date{Year: 2026, Month: 1, Day: 22},
}

// passportFacts is a passport without chip reading, examined and compared by an
// operator trained within the year.
func passportFacts() Facts {
	return Facts{Today: today, Documents: []Document{{
		Type: proof.Passport, Event: 4, Source: proof.FromCamera, Digits: GoodDigits,
		Expiry: proof.Date{Year: 2031, Month: 5, Day: 1},
		Exam: &Exam{Event: 5, By: clerk, DocumentExamined: proof.DocumentExamined{
			Original: true, Details: proof.Agree, Trained: trained,
			Features: []string{"hologram", "intaglio", "ghost_image"}}},
		Machine: &MachineCheck{Event: 7, Decision: proof.Match},
		Person: &PersonCheck{Event: 8, By: clerk, PersonCompared: proof.PersonCompared{
			Answer: proof.Same, Method: proof.PersonInPerson, Trained: trained}},
	}}}
}

// goodChip is a chip that counts in full.
func goodChip() *ChipCheck {
	return &ChipCheck{Event: 9, By: bySystem, Verdict: proof.ChipGenuine, Revocation: proof.RevocationGood, Clone: proof.CloneExcluded}
}

// TestAssessOneDocument changes one fact of a good passport at a time.
func TestAssessOneDocument(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		change   func(f *Facts, d *Document)
		want     string // strength/validity verification
		profile  string
		because  proof.Code
		withheld bool
	}{
		{"good/L1B", func(*Facts, *Document) {}, "3/2 3", "L1B", codeValidityExamined, false},
		{"chip/M1C", func(_ *Facts, d *Document) { d.Chip = goodChip() }, "4/3 3", "M1C", codeValidityChip, false},
		{"chip/no-clone-protection", func(_ *Facts, d *Document) { d.Chip = goodChip(); d.Chip.Clone = proof.CloneNoProtection }, "4/3 3", "M1C", codeValidityChip, false},
		{"chip/stale-list", func(_ *Facts, d *Document) { d.Chip = goodChip(); d.Chip.Revocation = proof.RevocationStale }, "4/3 3", "M1C", codeValidityChip, false},
		{"chip/nothing-known-of-revocation", func(_ *Facts, d *Document) {
			d.Chip = goodChip()
			d.Chip.Revocation, d.Exam = proof.RevocationUnknown, nil
		}, "3/2 3", "L1B", codeChipRevocationNotKnown, false},
		{"chip/clone-not-checked", func(_ *Facts, d *Document) { d.Chip = goodChip(); d.Chip.Clone = proof.CloneNotChecked }, "3/2 3", "L1B", codeChipCloneNotExcluded, false},
		{"chip/issuer-unknown-is-no-fault", func(_ *Facts, d *Document) { d.Chip = &ChipCheck{Verdict: proof.ChipIssuerUnknown} }, "3/2 3", "L1B", codeChipNoTrustAnchor, false},
		{"chip/integrity", func(_ *Facts, d *Document) { d.Chip = &ChipCheck{Verdict: proof.ChipIntegrityFailed} }, "3/0 0", "", codeChipIntegrity, true},
		{"chip/signature", func(_ *Facts, d *Document) { d.Chip = &ChipCheck{Verdict: proof.ChipSignatureFailed} }, "3/0 0", "", codeChipSignature, true},
		{"chip/certificate", func(_ *Facts, d *Document) { d.Chip = &ChipCheck{Verdict: proof.ChipCertificateUnfit} }, "3/0 0", "", codeChipUntrusted, true},
		{"chip/revoked", func(_ *Facts, d *Document) { d.Chip = &ChipCheck{Verdict: proof.ChipRevoked} }, "3/0 0", "", codeChipSignerRevoked, true},
		{"chip/of-another-document", func(_ *Facts, d *Document) { d.Chip = goodChip(); d.Chip.Verdict = proof.ChipOtherDocument }, "3/0 0", "", proof.DataMismatch, true},
		{"chip/cloned", func(_ *Facts, d *Document) { d.Chip = goodChip(); d.Chip.Clone = proof.CloneFailed }, "3/0 0", "", codeChipCloned, true},
		{"chip/claimed-not-read", func(_ *Facts, d *Document) { d.Type = "passport_chip" }, "3/2 3", "L1B", codeStrengthChipNotRead, false},
		{"chip/without-a-base-type", func(_ *Facts, d *Document) { d.Type = "brp_chip"; d.Chip = nil }, "- 0", "", codeTypeRefused, false},

		{"reading/alone", func(_ *Facts, d *Document) { d.Exam = nil }, "3/1 0", "", codeNotExamined, false},
		{"reading/typed-alone", func(_ *Facts, d *Document) { d.Exam, d.Source = nil, proof.FromKeys }, "3/0 0", "", codeValidityNotChecked, false},
		{"reading/typed-and-examined", func(_ *Facts, d *Document) { d.Source = proof.FromKeys }, "3/2 3", "L1B", codeValidityExamined, false},
		{"reading/digits-bad", func(_ *Facts, d *Document) { d.Digits = BadDigits }, "3/0 0", "", proof.ChecksFailed, false},
		{"reading/no-digits-alone", func(_ *Facts, d *Document) { d.Digits, d.Exam = NoDigits, nil }, "3/0 0", "", codeValidityNotChecked, false},
		{"reading/no-digits-examined", func(_ *Facts, d *Document) { d.Digits, d.Type = NoDigits, "uk_dl" }, "3/2 3", "L1B", codeValidityExamined, false},

		{"exam/copy", func(_ *Facts, d *Document) { d.Exam.Original = false }, "3/0 0", "", codeCopyNotOriginal, false},
		{"exam/contradicts", func(_ *Facts, d *Document) { d.Exam.Details = proof.Contradicts }, "3/0 0", "", proof.DataMismatch, true},
		{"exam/misread", func(_ *Facts, d *Document) { d.Exam.Details = proof.Misread }, "3/0 0", "", proof.DocMisread, false},
		{"exam/details-not-said", func(_ *Facts, d *Document) { d.Exam.Details = "" }, "3/1 0", "", codeDetailsNotCompared, false},
		{"exam/doubt", func(_ *Facts, d *Document) { d.Exam.Doubts = []string{"hologram"} }, "3/0 0", "", proof.DocCounterfeit, true},
		{"exam/two-features", func(_ *Facts, d *Document) { d.Exam.Features = d.Exam.Features[:2] }, "3/1 0", "", codeFeaturesTooFew, false},
		{"exam/same-feature-thrice", func(_ *Facts, d *Document) { d.Exam.Features = []string{"hologram", "hologram", "hologram"} }, "3/1 0", "", codeFeaturesTooFew, false},
		{"exam/features-of-nothing", func(_ *Facts, d *Document) { d.Exam.Features = []string{"a", "b", "c"} }, "3/1 0", "", codeFeaturesTooFew, false},
		{"exam/not-trained", func(_ *Facts, d *Document) { d.Exam.Trained = proof.Training{} }, "3/1 0", "", codeExaminerNotTrained, false},
		{"exam/trained-36-months-ago", func(_ *Facts, d *Document) { d.Exam.Trained.Document = proof.Date{Year: 2023, Month: 11, Day: 22} }, "3/2 3", "L1B", codeValidityExamined, false},
		{"exam/trained-36-months-and-a-day-ago", func(_ *Facts, d *Document) { d.Exam.Trained.Document = proof.Date{Year: 2023, Month: 11, Day: 21} }, "3/1 0", "", codeExaminerNotTrained, false},
		{"exam/trained-tomorrow", func(_ *Facts, d *Document) { d.Exam.Trained.Document = proof.Date{Year: 2026, Month: 11, Day: 23} }, "3/1 0", "", codeExaminerNotTrained, false},
		{"exam/templates-old", func(_ *Facts, d *Document) { d.Exam.Templates = proof.Date{Year: 2022, Month: 1, Day: 1} }, "3/1 0", "", codeTemplatesOld, false},

		{"uvir/M1C", func(_ *Facts, d *Document) {
			d.Exam.UVIR, d.Exam.Templates = true, proof.Date{Year: 2026, Month: 6, Day: 1}
		}, "3/3 3", "M1C", codeValidityUVIR, false},
		{"uvir/no-template", func(_ *Facts, d *Document) { d.Exam.UVIR = true }, "3/2 3", "L1B", codeUVIRTemplatesOld, false},
		{"uvir/training-old", func(_ *Facts, d *Document) {
			d.Exam.UVIR, d.Exam.Templates = true, today
			d.Exam.Trained.UVIR = proof.Date{Year: 2025, Month: 11, Day: 21}
		}, "3/2 3", "L1B", codeUVIRNotTrained, false},
		{"record/agrees", func(_ *Facts, d *Document) { d.Exam = nil; d.Record = &RecordCheck{Matched: true} }, "3/2 3", "L1B", codeValidityRecord, false},
		{"record/unknown", func(_ *Facts, d *Document) { d.Exam = nil; d.Record = &RecordCheck{} }, "3/1 0", "", codeRecordNotMatched, false},
		{"record/hit", func(_ *Facts, d *Document) { d.Record = &RecordCheck{Matched: true, Hit: true} }, "3/0 0", "", codeDocFraudList, true},
		{"all-four", func(_ *Facts, d *Document) {
			d.Exam.UVIR, d.Exam.Templates = true, today
			d.Chip, d.Record = goodChip(), &RecordCheck{Matched: true, Clear: true}
		}, "4/4 3", "M1C", codeValidityAll, false},
		{"all-four/status-not-asked", func(_ *Facts, d *Document) {
			d.Exam.UVIR, d.Exam.Templates = true, today
			d.Chip, d.Record = goodChip(), &RecordCheck{Matched: true}
		}, "4/3 3", "M1C", codeValidityUVIR, false},

		{"expiry/today", func(_ *Facts, d *Document) { d.Expiry = today }, "3/2 3", "L1B", codeValidityExamined, false},
		{"expiry/yesterday", func(_ *Facts, d *Document) { d.Expiry = proof.Date{Year: 2026, Month: 11, Day: 21} }, "3/0 0", "", proof.DocExpired, false},
		{"expiry/month-only-counts-as-its-first", func(_ *Facts, d *Document) { d.Expiry = proof.Date{Year: 2026, Month: 11} }, "3/0 0", "", proof.DocExpired, false},
		{"expiry/not-read", func(_ *Facts, d *Document) { d.Expiry = proof.Date{} }, "3/1 0", "", codeExpiryNotKnown, false},
		{"expiry/impossible", func(_ *Facts, d *Document) { d.Expiry = proof.Date{Year: 2031, Month: 2, Day: 30} }, "3/1 0", "", codeExpiryNotKnown, false},
		{"specimen/at-work", func(_ *Facts, d *Document) { d.Specimen = true }, "3/0 0", "", proof.DocSpecimen, false},
		{"specimen/in-training", func(f *Facts, d *Document) { d.Specimen, f.Training = true, true }, "3/2 3", "L1B", codeValidityExamined, false},

		{"compare/36-months", func(_ *Facts, d *Document) { d.Person.Trained.Impostor = proof.Date{Year: 2023, Month: 11, Day: 22} }, "3/2 2", "L1B", codeCompared, false},
		{"compare/12-months", func(_ *Facts, d *Document) { d.Person.Trained.Impostor = proof.Date{Year: 2025, Month: 11, Day: 22} }, "3/2 3", "L1B", codeComparedRecently, false},
		{"compare/12-months-and-a-day", func(_ *Facts, d *Document) { d.Person.Trained.Impostor = proof.Date{Year: 2025, Month: 11, Day: 21} }, "3/2 2", "L1B", codeCompared, false},
		{"compare/training-lapsed", func(_ *Facts, d *Document) { d.Person.Trained.Impostor = proof.Date{Year: 2023, Month: 11, Day: 21} }, "3/2 0", "", proof.OperatorNotTrained, false},
		{"compare/never-trained", func(_ *Facts, d *Document) { d.Person.Trained = proof.Training{} }, "3/2 0", "", proof.OperatorNotTrained, false},
		{"compare/says-not-trained", func(_ *Facts, d *Document) { d.Person.Answer = proof.NotTrained }, "3/2 0", "", proof.OperatorNotTrained, false},
		{"compare/not-sure", func(_ *Facts, d *Document) { d.Person.Answer = proof.NotSure }, "3/2 0", "", proof.FaceUnsure, false},
		{"compare/different", func(_ *Facts, d *Document) { d.Person.Answer = proof.Different }, "3/2 0", "", proof.FaceDifferent, true},
		{"compare/remote", func(_ *Facts, d *Document) { d.Person.Method = proof.PersonRemote }, "3/2 2", "L1B", codeComparedRemotely, false},
		{"compare/by-machine-under-a-person's-name", func(_ *Facts, d *Document) { d.Person.Method = proof.BiometricPresent }, "3/2 0", "", proof.FaceNotCompared, false},
		{"compare/not-done", func(_ *Facts, d *Document) { d.Person = nil }, "3/2 0", "", proof.FaceNotCompared, false},
		{"compare/no-photo", func(_ *Facts, d *Document) {
			d.Type, d.Digits = "birth_cert", NoDigits
			d.Exam.Features = []string{"watermark", "intaglio", "fonts_alignment"}
		}, "2/2 0", "", codeNoPhoto, false},
		{"machine/scores-nothing", func(_ *Facts, d *Document) { d.Person = nil }, "3/2 0", "", codeMachineAid, false},
		{"machine/another-person", func(_ *Facts, d *Document) { d.Machine.Decision = proof.NoMatch }, "3/2 3", "", proof.FaceDifferent, true},
		{"machine/undecided", func(_ *Facts, d *Document) { d.Machine.Decision = proof.ClerkDecides }, "3/2 3", "L1B", codeMachineAid, false},

		{"type/unknown", func(_ *Facts, d *Document) { d.Type = "us_driving_licence" }, "1/1 0", "", codeStrengthOther, false},
		{"type/not-evidence", func(_ *Facts, d *Document) { d.Type = "nino_card" }, "- 0", "", codeTypeNotEvidence, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := passportFacts()
			c.change(&f, &f.Documents[0])
			a, err := current(t).Assess(f)
			if err != nil {
				t.Fatal(err)
			}
			fields := strings.Fields(c.want)
			want := scores(t, fields[0], "0 0 "+fields[1])
			if got := a.Scores; !sameScores(got, want) {
				t.Errorf("scores %+v, want %s", got, c.want)
			}
			if a.Profile != c.profile {
				t.Errorf("profile %q, want %q", a.Profile, c.profile)
			}
			if !tells(a, c.because) {
				t.Errorf("%s is not among the reasons %+v", c.because, a.Reasons)
			}
			if withheld := len(a.Hold) > 0; withheld != c.withheld {
				t.Errorf("withheld %v for %v, want %v", withheld, a.Hold, c.withheld)
			}
		})
	}
}

// sameScores compares numbers.
func sameScores(a, b proof.Scores) bool {
	return a.Activity == b.Activity && a.Fraud == b.Fraud && a.Verification == b.Verification &&
		slices.EqualFunc(a.Evidence, b.Evidence, func(x, y proof.Evidence) bool {
			return x.Strength == y.Strength && x.Validity == y.Validity
		})
}

// tells reports a code among the reasons.
func tells(a Assessment, code proof.Code) bool {
	return slices.ContainsFunc(a.Reasons, func(r proof.Reason) bool { return r.Code == code })
}

func TestWithheldLevelKeepsItsProfile(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Documents[0].Machine.Decision = proof.NoMatch
	a, err := current(t).Assess(f)
	if err != nil {
		t.Fatal(err)
	}
	if a.Level != proof.NoLevel || a.Profile != "" || a.Computed != "L1B" {
		t.Errorf("level %s, profile %q, computed %q", a.Level, a.Profile, a.Computed)
	}
	if a.Reasons[0].Code != codeLevelWithheld {
		t.Errorf("the first reason is %s", a.Reasons[0].Code)
	}
}

func TestEveryScoreNamesItsCheck(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Documents[0].Chip = goodChip()
	f.Sources = &Sources{Event: 20, Activity: 1, Fraud: 2}
	a, err := current(t).Assess(f)
	if err != nil {
		t.Fatal(err)
	}
	want := []proof.Check{
		{Method: proof.PhysicalInPerson, Part: "validity", Score: 2, By: clerk, Event: 5, Reason: codeValidityExamined},
		{Method: proof.Cryptographic, Part: "validity", Score: 3, By: bySystem, Event: 9, Reason: codeValidityChip},
		{Method: proof.BiometricPresent, Part: "verification", Score: 0, By: bySystem, Event: 7, Reason: codeMachineAid},
		{Method: proof.PersonInPerson, Part: "verification", Score: 3, By: clerk, Event: 8, Reason: codeComparedRecently},
		{Method: proof.RecordData, Part: "activity", Score: 1, By: proof.Actor{Kind: proof.ByRemote}, Event: 20, Reason: codeActivityFromSources},
		{Method: proof.RecordData, Part: "fraud", Score: 2, By: proof.Actor{Kind: proof.ByRemote}, Event: 20, Reason: codeFraudFromSources},
	}
	if !slices.Equal(a.Checks, want) {
		t.Errorf("checks\n%+v\nwant\n%+v", a.Checks, want)
	}
	if a.Profile != "H1A" || a.Provisional || a.Policy != Default {
		t.Errorf("profile %s, provisional %v, policy %s", a.Profile, a.Provisional, a.Policy)
	}
}

func TestFraudHitBlocksRelease(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Sources = &Sources{Activity: 1, Fraud: 2, Hits: []proof.Code{"theft_flag"}}
	a, err := current(t).Assess(f)
	if err != nil {
		t.Fatal(err)
	}
	if a.Level != proof.NoLevel || a.Scores.Fraud != 0 || !slices.Contains(a.Hold, proof.Code("theft_flag")) || a.Computed != "L1B" {
		t.Errorf("level %s, fraud %d, hold %v, computed %s", a.Level, a.Scores.Fraud, a.Hold, a.Computed)
	}
}

func TestSeveralDocuments(t *testing.T) {
	t.Parallel()
	licence := func() Document {
		d := passportFacts().Documents[0]
		d.Type, d.Digits, d.Person, d.Machine = "uk_dl", NoDigits, nil, nil
		return d
	}
	expired := passportFacts().Documents[0]
	expired.Expiry = proof.Date{Year: 2020, Month: 1, Day: 1}
	for _, c := range []struct {
		name string
		add  func(f *Facts)
		want string
	}{
		{"two-kinds/two-pieces", func(f *Facts) { f.Documents = append(f.Documents, licence()) }, "3/2 3/2"},
		{"two-passports/one-piece", func(f *Facts) { f.Documents = append(f.Documents, passportFacts().Documents[0]) }, "3/2"},
		{"two-passports/the-better-one", func(f *Facts) {
			f.Documents = append([]Document{expired}, f.Documents...)
			f.Documents[1].Chip = goodChip()
		}, "4/3"},
		{"two-licences/one-piece", func(f *Facts) {
			eu := licence()
			eu.Type = "eu_dl"
			f.Documents = []Document{licence(), eu}
		}, "3/2"},
		{"none", func(f *Facts) { f.Documents = nil }, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := passportFacts()
			c.add(&f)
			a, err := current(t).Assess(f)
			if err != nil {
				t.Fatal(err)
			}
			want := scores(t, c.want, "0 0 0")
			want.Verification = a.Scores.Verification
			if !sameScores(a.Scores, want) {
				t.Errorf("evidence %+v, want %s", a.Scores.Evidence, c.want)
			}
		})
	}
}

func TestAssessRefusesImpossibleFacts(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(f *Facts){
		"no-day":      func(f *Facts) { f.Today = proof.Date{} },
		"half-a-day":  func(f *Facts) { f.Today.Day = 0 },
		"no-such-day": func(f *Facts) { f.Today.Day = 31 },
		"activity/5":  func(f *Facts) { f.Sources = &Sources{Activity: 5} },
		"fraud/-1":    func(f *Facts) { f.Sources = &Sources{Fraud: -1} },
		"documents":   func(f *Facts) { f.Documents = make([]Document, maxPieces+1) },
		"vouches":     func(f *Facts) { f.Vouches = make([]Vouch, maxPieces) },
	} {
		t.Run(name, func(t *testing.T) {
			f := passportFacts()
			change(&f)
			if a, err := current(t).Assess(f); err == nil {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestAssessLeavesTheFactsAlone(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	if _, err := current(t).Assess(f); err != nil {
		t.Fatal(err)
	}
	d, want := f.Documents[0], passportFacts().Documents[0]
	if len(f.Documents) != 1 || d.Chip != nil || !slices.Equal(d.Exam.Features, want.Exam.Features) || d.Exam.UVIR || d.Person.Trained != trained {
		t.Errorf("the facts became %+v", d)
	}
}

// drawFacts draws facts of any kind, good and bad mixed.
func drawFacts(t *rapid.T, p *Policy) Facts {
	date := rapid.Custom(func(t *rapid.T) proof.Date {
		return proof.Date{Year: rapid.IntRange(2020, 2032).Draw(t, "year"), Month: rapid.IntRange(0, 12).Draw(t, "month"), Day: rapid.IntRange(0, 31).Draw(t, "day")}
	})
	document := rapid.Custom(func(t *rapid.T) Document {
		training := proof.Training{Impostor: date.Draw(t, "impostor"), Document: date.Draw(t, "document"), UVIR: date.Draw(t, "uvir")}
		d := Document{
			Type:   rapid.SampledFrom(p.Types()).Draw(t, "type"),
			Source: rapid.SampledFrom([]proof.Source{proof.FromCamera, proof.FromReader, proof.FromKeys, ""}).Draw(t, "source"),
			Digits: rapid.SampledFrom([]Digits{NoDigits, GoodDigits, BadDigits}).Draw(t, "digits"),
			Expiry: date.Draw(t, "expiry"), Specimen: rapid.Bool().Draw(t, "specimen"),
		}
		if rapid.Bool().Draw(t, "examined") {
			d.Exam = &Exam{By: clerk, Templates: date.Draw(t, "templates"), DocumentExamined: proof.DocumentExamined{
				Original: rapid.Bool().Draw(t, "original"), UVIR: rapid.Bool().Draw(t, "lit"), Trained: training,
				Details:  rapid.SampledFrom([]proof.Agreement{proof.Agree, proof.Misread, proof.Contradicts, ""}).Draw(t, "details"),
				Features: rapid.SliceOfN(rapid.SampledFrom(p.Features(proof.Passport)), 0, 6).Draw(t, "features")}}
		}
		if rapid.Bool().Draw(t, "compared") {
			d.Person = &PersonCheck{By: clerk, PersonCompared: proof.PersonCompared{Trained: training,
				Answer: rapid.SampledFrom([]proof.Sameness{proof.Same, proof.Different, proof.NotSure, proof.NotTrained, ""}).Draw(t, "answer"),
				Method: rapid.SampledFrom([]proof.CheckMethod{proof.PersonInPerson, proof.PersonRemote, proof.BiometricPresent}).Draw(t, "method")}}
		}
		if rapid.Bool().Draw(t, "machine") {
			d.Machine = &MachineCheck{Decision: rapid.SampledFrom([]proof.FaceDecision{proof.Match, proof.NoMatch, proof.ClerkDecides}).Draw(t, "decision")}
		}
		if rapid.Bool().Draw(t, "chip") {
			d.Chip = &ChipCheck{
				Verdict:    rapid.SampledFrom([]proof.ChipVerdict{proof.ChipGenuine, proof.ChipIssuerUnknown, proof.ChipSignatureFailed, "?"}).Draw(t, "verdict"),
				Revocation: rapid.SampledFrom([]proof.Revocation{proof.RevocationGood, proof.RevocationUnknown, "?"}).Draw(t, "revocation"),
				Clone:      rapid.SampledFrom([]proof.Clone{proof.CloneExcluded, proof.CloneNotChecked, proof.CloneFailed, "?"}).Draw(t, "clone")}
		}
		return d
	})
	vouch := rapid.Custom(func(t *rapid.T) Vouch {
		return Vouch{By: clerk, Paper: rapid.Bool().Draw(t, "paper"), Confirmed: rapid.Bool().Draw(t, "confirmed"),
			Proved:     rapid.SampledFrom([]proof.Level{proof.NoLevel, proof.Low, proof.Medium, proof.High, "", "?"}).Draw(t, "proved"),
			KnownSince: date.Draw(t, "known"), Given: rapid.OneOf(date, rapid.Just(today)).Draw(t, "given"),
			Problems: rapid.SliceOfN(rapid.SampledFrom([]proof.Code{proof.VouchRelated, "vouch_chain"}), 0, 1).Draw(t, "problems")}
	})
	f := Facts{Today: today, Training: rapid.Bool().Draw(t, "training"), Documents: rapid.SliceOfN(document, 0, 3).Draw(t, "documents"), Vouches: rapid.SliceOfN(vouch, 0, 2).Draw(t, "vouches")}
	if rapid.Bool().Draw(t, "asked") {
		f.Sources = &Sources{Activity: rapid.IntRange(0, 4).Draw(t, "activity"), Fraud: rapid.IntRange(0, 3).Draw(t, "fraud")}
	}
	return f
}

// TestNoLevelWithoutItsChecks is the law that matters most: whatever the facts,
// a level needs a check that showed some evidence to be genuine and somebody who
// said that it is the same person: an operator, or a voucher who was proved and
// then for low only. Every reason is one that can be said.
func TestNoLevelWithoutItsChecks(t *testing.T) {
	t.Parallel()
	p := current(t)
	known := Codes()
	rapid.Check(t, func(t *rapid.T) {
		a, err := p.Assess(drawFacts(t, p))
		if err != nil {
			t.Fatal(err)
		}
		scored := func(part string, least int, methods ...proof.CheckMethod) bool {
			return slices.ContainsFunc(a.Checks, func(c proof.Check) bool {
				return c.Part == part && c.Score >= least && slices.Contains(methods, c.Method)
			})
		}
		if a.Level != proof.NoLevel {
			if !scored("validity", 1, proof.PhysicalInPerson, proof.PhysicalUVIR, proof.Cryptographic, proof.RecordData, MethodVouch) {
				t.Fatalf("level %s without genuine evidence: %+v", a.Level, a.Checks)
			}
			vouched := a.Level == proof.Low && scored("verification", 1, MethodVouch)
			if !vouched && !scored("verification", 2, proof.PersonInPerson, proof.PersonRemote) {
				t.Fatalf("level %s without a comparison: %+v", a.Level, a.Checks)
			}
			if len(a.Hold) > 0 {
				t.Fatalf("level %s in spite of %v", a.Level, a.Hold)
			}
		}
		for _, r := range a.Reasons {
			if !slices.Contains(known, r.Code) || strings.ContainsAny(Explain(r), "{}") {
				t.Fatalf("reason %+v reads %q", r, Explain(r))
			}
		}
		for _, c := range a.Checks {
			if !slices.Contains(known, c.Reason) || c.Part == "" || c.Method == "" {
				t.Fatalf("check %+v", c)
			}
		}
	})
}

// TestEveryCodeIsSaid: the closed list names every code of this package, and
// its sentences ask only for parameters that a reason of that code has.
func TestEveryCodeIsSaid(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	said := sentences()
	declared := regexp.MustCompile(`proof\.Code = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	for _, d := range declared {
		if said[proof.Code(d[1])] == "" {
			t.Errorf("%s has no words", d[1])
		}
	}
	if len(declared) < 40 || len(said) < len(declared) {
		t.Errorf("%d codes are declared, %d said", len(declared), len(said))
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reason proof.Reason
		want   string
	}{
		{reason(codeProfileMet, 0, "profile", "L1B", "level", "low", "policy", Default), "Level low: the checks meet profile L1B of gpg45-0.4."},
		{reason(codeFeaturesTooFew, 5, "seen", "2", "needed", "3"), "The examination saw 2 security features of this kind of document; 3 are needed."},
		{reason(codeVouchTooOld, 0, "days", "90"), "The vouch counts nothing: it was given more than 90 days ago."},
		{reason("nhs_nothing_yet", 0), "No NHS level yet."},
		{reason("never_heard_of", 0), "never_heard_of"},
	} {
		if got := Explain(c.reason); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestFeaturesHaveRoomForTheNeeded(t *testing.T) {
	t.Parallel()
	p := current(t)
	for _, name := range p.Types() {
		if n := len(p.Features(name)); n > 0 && n < p.rules.Validity.ExaminedFeatures {
			t.Errorf("%s has %d features, fewer than an examination needs", name, n)
		}
	}
}
