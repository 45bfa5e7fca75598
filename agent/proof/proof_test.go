package proof_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

func TestDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		date      proof.Date
		valid     bool
		precision string
		text      string
	}{
		{proof.Date{Year: 2024, Month: 2, Day: 29}, true, "day", "2024-02-29"},
		{proof.Date{Year: 2023, Month: 2, Day: 29}, false, "day", "2023-02-29"},
		{proof.Date{Year: 1900, Month: 2, Day: 29}, false, "day", "1900-02-29"},
		{proof.Date{Year: 2000, Month: 2, Day: 29}, true, "day", "2000-02-29"},
		{proof.Date{Year: 2024, Month: 4, Day: 31}, false, "day", "2024-04-31"},
		{proof.Date{Year: 2024, Month: 13, Day: 1}, false, "day", "2024-13-01"},
		{proof.Date{Year: 1970, Month: 1}, true, "month", "1970-01-??"},
		{proof.Date{Year: 1970}, true, "year", "1970-??-??"},
		{proof.Date{Year: 1970, Day: 5}, false, "year", "1970-??-05"},
		{proof.Date{}, false, "none", ""},
	} {
		if got := c.date.Valid(); got != c.valid {
			t.Errorf("%v valid: %t, want %t", c.date, got, c.valid)
		}
		if c.date.Precision() != c.precision || c.date.String() != c.text {
			t.Errorf("%v is %s to the %s, want %s to the %s", c.date, c.date, c.date.Precision(), c.text, c.precision)
		}
	}
	early, late := proof.Date{Year: 2026, Month: 11, Day: 22}, proof.Date{Year: 2026, Month: 12, Day: 1}
	if !early.Before(late) || late.Before(early) || early.Before(early) || early.Compare(early) != 0 {
		t.Error("dates are not ordered by the calendar")
	}
	if (proof.Date{Year: 2026, Month: 12}).Compare(late) != 0 {
		t.Error("a month without its day does not count as the first")
	}
}

func TestNameKeys(t *testing.T) {
	t.Parallel()
	for icao, key := range map[string]string{"VAN DER BERG": "VANDERBERG", "O NEILL": "ONEILL", "": ""} {
		if n := proof.NewName(icao); n.ICAO != icao || n.Key != key {
			t.Errorf("%q gives %+v, want key %q", icao, n, key)
		}
	}
}

func TestLevelsAreOrdered(t *testing.T) {
	t.Parallel()
	levels := []proof.Level{"unknown word", proof.NoLevel, proof.Low, proof.Medium, proof.High, proof.VeryHigh}
	for i, l := range levels {
		for j, m := range levels {
			if l.Above(m) != (i > j) {
				t.Errorf("%s above %s: %t", l, m, l.Above(m))
			}
		}
	}
}

// facts holds one of each kind, no field zero.
func facts() []proof.Fact {
	trained := proof.Training{Impostor: proof.Date{Year: 2026, Month: 1, Day: 2}}
	return []proof.Fact{
		proof.VisitStarted{Case: "c", Record: "00", Route: proof.PhotoDocument, Language: "cy", Site: "FWC87", Training: true, Policy: "p", App: "1", Operator: trained},
		proof.ConsentAnswered{Purpose: proof.ForFace, Given: true, Text: "1", Language: "en"},
		proof.DocumentRead{Source: proof.FromKeys, Lines: []string{"A", "B"}, Score: -0.1, Page: "page-1", Portrait: "portrait-1"},
		proof.DocumentFailed{Kind: proof.KindGlare},
		proof.DocumentExamined{Original: true, Details: proof.Misread, Features: []string{"f"}, Doubts: []string{"d"}, UVIR: true, Trained: trained},
		proof.FaceTaken{Picture: "live-1"},
		proof.FaceFailed{Kind: proof.KindNoFace},
		proof.FacesCompared{Score: 2.5, Decision: proof.ClerkDecides, Portrait: "p", Live: "l", Profile: "default"},
		proof.CompareFailed{Kind: proof.KindFaceUnavailable},
		proof.PersonCompared{Answer: proof.NotSure, Method: proof.PersonInPerson, Trained: trained},
		proof.StepReopened{Step: proof.ExamineDocument},
		proof.HandedOver{To: "sam", Trained: trained},
		proof.WayChosen{Way: proof.Finish},
		proof.VisitAbandoned{Reason: proof.PatientLeft},
		proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Proved, Level: proof.Low, Profile: "L1B", Policy: "p"}},
		proof.ResultConfirmed{},
		proof.RecordQueued{Ref: "R"},
		proof.SlipMade{Kind: proof.KindPaperOut},
		proof.VisitEnded{},
		proof.EvidenceChosen{Type: proof.UKLicence, Form: proof.ByField, Photo: true},
		proof.EvidenceTable{Here: []proof.EvidenceType{proof.Passport}, Home: []proof.EvidenceType{"birth_cert"}},
		proof.IdentityClaimed{Party: proof.Proxy, Person: person, Postcode: "LS1 4AP", NHSNumber: "9000000009"},
		proof.EvidenceScanned{Page: "page-1", Portrait: "portrait-1", Symbology: "PDF417", Text: "SECRET"},
		proof.EvidenceEntered{Source: proof.FromKeys, Person: person, Former: proof.NewName("SECRET"), Number: "SECRET", Issuer: "SECRET",
			Issued: born, Expires: born, Postcode: "SECRET", Page: "page-1", Portrait: "portrait-1"},
		proof.VouchGiven{Paper: true, Voucher: person, Proofing: "SECRET", Occupation: "teacher", Organisation: "SECRET", Register: "SECRET",
			Contact: "SECRET", Related: true, SameAddress: true, KnownSince: born, Given: born, Statement: "1", Signed: true, Present: true,
			CallBack: proof.CallConfirmed},
		proof.PracticeDetailsGiven{Source: proof.FromKeys, ODS: "SECRET", Account: "SECRET", Key: "SECRET"},
		proof.ProxyRequested{Withdraw: true, Relationship: "SECRET", Basis: "SECRET", Seen: []proof.EvidenceType{"SECRET"},
			Actions: []proof.Code{"SECRET"}, Until: born, Agreed: true, Text: "1", Language: "cy", Interpreter: true, Alone: true},
		proof.ConcernRaised{},
		proof.ColleagueNoticed{Self: true},
		proof.SecondPersonAnswered{Operator: "sam", Confirms: true},
		proof.PreferencesGiven{Email: "SECRET", Mobile: "SECRET", Contact: "SECRET", Written: "SECRET", Language: "SECRET",
			Interpreter: "SECRET", Pharmacy: "SECRET", OptOut: "SECRET"},
		proof.FeedbackGiven{Score: 4, Text: "SECRET"},
		proof.ClaimMade{Token: "SECRET", Until: born},
		proof.ClaimRedeemed{Token: "SECRET", Email: "SECRET", Mobile: "SECRET"},
	}
}

// The invented person of these facts.
var (
	born   = proof.Date{Year: 1985, Month: 3, Day: 12}
	person = proof.Person{Surname: proof.NewName("SECRET"), Given: proof.NewName("SECRET"), Birth: born, Sex: "X", Nationality: "GBR"}
)

// TestEmptiedFactsTellNobody holds that what auditors see of a personal fact
// names nobody, and that nothing else of this package could.
func TestEmptiedFactsTellNobody(t *testing.T) {
	t.Parallel()
	personal := 0
	for _, f := range facts() {
		whole, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := f.(proof.Personal)
		if !ok {
			if strings.Contains(string(whole), "SECRET") {
				t.Errorf("%s tells about a person and cannot be emptied", f.FactKind())
			}
			continue
		}
		personal++
		left, err := json.Marshal(p.Emptied())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(left), "SECRET") || strings.Contains(string(left), "1985") && f.FactKind() == "identity_claimed" {
			t.Errorf("%s emptied still tells %s", f.FactKind(), left)
		}
		if p.Emptied().FactKind() != f.FactKind() {
			t.Errorf("%s emptied is a %s", f.FactKind(), p.Emptied().FactKind())
		}
	}
	if personal != 11 {
		t.Errorf("%d personal facts, want 11", personal)
	}
}

func TestEventsSurviveTheDisk(t *testing.T) {
	t.Parallel()
	for i, f := range facts() {
		e := proof.Event{
			Seq: i + 1, At: time.Date(2026, 11, 22, 10, 0, 0, 1, time.UTC), Mono: time.Second,
			By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Device: "sim:camera", Fact: f,
		}
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("writing %s: %v", f.FactKind(), err)
		}
		var back proof.Event
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("reading %s: %v", f.FactKind(), err)
		}
		if !reflect.DeepEqual(back, e) {
			t.Errorf("%s came back as %+v, want %+v", f.FactKind(), back, e)
		}
	}
}

// declared lists the names of a kind of declaration in this package's source.
func declared(t *testing.T, wanted func(ast.Node) string) []string {
	t.Helper()
	var names []string
	for _, path := range []string{"proof.go", "event.go", "ask.go", "kind.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if n != nil {
				if name := wanted(n); name != "" {
					names = append(names, name)
				}
			}
			return true
		})
	}
	return names
}

func TestEveryFactIsRead(t *testing.T) {
	t.Parallel()
	kinds := declared(t, func(n ast.Node) string {
		f, ok := n.(*ast.FuncDecl)
		if !ok || f.Name.Name != "FactKind" {
			return ""
		}
		return f.Recv.List[0].Type.(*ast.Ident).Name
	})
	if len(kinds) != len(facts()) {
		t.Errorf("the source has %d facts, this test knows %d", len(kinds), len(facts()))
	}
	seen := map[proof.FactKind]bool{}
	for _, f := range facts() {
		if seen[f.FactKind()] {
			t.Errorf("two facts travel as %s", f.FactKind())
		}
		seen[f.FactKind()] = true
	}
}

func TestKindsListsEveryKind(t *testing.T) {
	t.Parallel()
	consts := declared(t, func(n ast.Node) string {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 {
			return ""
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Kind" {
			return ""
		}
		return spec.Names[0].Name
	})
	if got, want := len(proof.Kinds()), len(consts)-1; got != want { // KindNone is no failure
		t.Errorf("Kinds lists %d, the source has %d", got, want)
	}
	seen := map[proof.Kind]bool{}
	for _, k := range proof.Kinds() {
		if k == "" || seen[k] || strings.ToLower(string(k)) != string(k) {
			t.Errorf("kind %q is empty, twice there or not a small word", k)
		}
		seen[k] = true
	}
}

func TestEventsThatAreRefused(t *testing.T) {
	t.Parallel()
	for rule, text := range map[string]string{
		"unknown kind": `{"seq":1,"kind":"visit_sold","fact":{}}`,
		"no kind":      `{"seq":1}`,
		"wrong body":   `{"seq":1,"kind":"face_taken","fact":[]}`,
		"no JSON":      `{`,
	} {
		var e proof.Event
		if err := json.Unmarshal([]byte(text), &e); err == nil {
			t.Errorf("%s was read", rule)
		}
	}
	if _, err := json.Marshal(proof.Event{Seq: 1}); err == nil {
		t.Error("an event without a fact was written")
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("the cause")
	err := fmt.Errorf("around it: %w", &proof.Error{Op: "writing", Kind: proof.KindDiskFull, Err: cause})
	if proof.KindOf(err) != proof.KindDiskFull || !errors.Is(err, cause) {
		t.Errorf("%v has kind %s", err, proof.KindOf(err))
	}
	if proof.KindOf(nil) != proof.KindNone || proof.KindOf(cause) != proof.KindInternal {
		t.Error("nil or a foreign error has a kind")
	}
	for _, e := range []*proof.Error{{Op: "writing", Kind: proof.KindDiskFull, Err: cause}, {Op: "writing", Kind: proof.KindDiskFull}} {
		if !strings.HasPrefix(e.Error(), "writing: disk_full") {
			t.Errorf("the text is %q", e.Error())
		}
	}
}

// FuzzEvent reads hostile events: what reads must write and read the same.
func FuzzEvent(f *testing.F) {
	for i, fact := range facts() {
		b, err := json.Marshal(proof.Event{Seq: i + 1, Fact: fact})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e proof.Event
		if json.Unmarshal(b, &e) != nil {
			return
		}
		if e.Fact == nil {
			return // JSON null leaves an event as it was
		}
		if _, err := json.Marshal(e); err != nil && e.At.Year() >= 0 && e.At.Year() <= 9999 {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}

// written is how each fact was written by the first version. Records of the past
// are folded again years later, so none of these lines may ever change; a new
// field may join at its end.
var written = []string{
	`{"seq":1,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"visit_started","fact":{"case":"c","record":"00","route":"photo_document","language":"cy","site":"FWC87","training":true,"policy":"p","app":"1","operator":{"impostor":{"Year":2026,"Month":1,"Day":2},"document":{"Year":0,"Month":0,"Day":0},"uvir":{"Year":0,"Month":0,"Day":0}}}}`,
	`{"seq":2,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"consent_answered","fact":{"purpose":"face","given":true,"text":"1","language":"en"}}`,
	`{"seq":3,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"document_read","fact":{"source":"keys","lines":["A","B"],"score":-0.1,"page":"page-1","portrait":"portrait-1"}}`,
	`{"seq":4,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"document_failed","fact":{"kind":"glare"}}`,
	`{"seq":5,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"document_examined","fact":{"original":true,"details":"misread","features":["f"],"doubts":["d"],"uvir":true,"trained":{"impostor":{"Year":2026,"Month":1,"Day":2},"document":{"Year":0,"Month":0,"Day":0},"uvir":{"Year":0,"Month":0,"Day":0}}}}`,
	`{"seq":6,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"face_taken","fact":{"picture":"live-1"}}`,
	`{"seq":7,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"face_failed","fact":{"kind":"no_face"}}`,
	`{"seq":8,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"faces_compared","fact":{"score":2.5,"decision":"clerk_decides","portrait":"p","live":"l","profile":"default"}}`,
	`{"seq":9,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"compare_failed","fact":{"kind":"face_unavailable"}}`,
	`{"seq":10,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"person_compared","fact":{"answer":"not_sure","method":"pvp","trained":{"impostor":{"Year":2026,"Month":1,"Day":2},"document":{"Year":0,"Month":0,"Day":0},"uvir":{"Year":0,"Month":0,"Day":0}}}}`,
	`{"seq":11,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"step_reopened","fact":{"step":"examine_document"}}`,
	`{"seq":12,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"handed_over","fact":{"to":"sam","trained":{"impostor":{"Year":2026,"Month":1,"Day":2},"document":{"Year":0,"Month":0,"Day":0},"uvir":{"Year":0,"Month":0,"Day":0}}}}`,
	`{"seq":13,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"way_chosen","fact":{"way":"finish"}}`,
	`{"seq":14,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"visit_abandoned","fact":{"reason":"patient_left"}}`,
	`{"seq":15,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"visit_decided","fact":{"outcome":{"result":"proved","level":"low","profile":"L1B","scores":{"evidence":null,"activity":0,"fraud":0,"verification":0},"nhs":"","provisional":false,"checks":null,"reasons":null,"raise":null,"policy":"p","training":false}}}`,
	`{"seq":16,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"result_confirmed","fact":{}}`,
	`{"seq":17,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"record_queued","fact":{"ref":"R"}}`,
	`{"seq":18,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"slip_made","fact":{"kind":"paper_out"}}`,
	`{"seq":19,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"visit_ended","fact":{}}`,
	`{"seq":20,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"evidence_chosen","fact":{"type":"uk_dl","form":"field","photo":true}}`,
	`{"seq":21,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"evidence_table","fact":{"here":["passport"],"home":["birth_cert"]}}`,
	`{"seq":22,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"identity_claimed","fact":{"party":"proxy","person":{"surname":{"icao":"SECRET","key":"SECRET"},"given":{"icao":"SECRET","key":"SECRET"},"birth":{"Year":1985,"Month":3,"Day":12},"sex":"X","nationality":"GBR"},"postcode":"LS1 4AP","nhs_number":"9000000009"}}`,
	`{"seq":23,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"evidence_scanned","fact":{"page":"page-1","portrait":"portrait-1","symbology":"PDF417","text":"SECRET"}}`,
	`{"seq":24,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"evidence_entered","fact":{"source":"keys","person":{"surname":{"icao":"SECRET","key":"SECRET"},"given":{"icao":"SECRET","key":"SECRET"},"birth":{"Year":1985,"Month":3,"Day":12},"sex":"X","nationality":"GBR"},"former":{"icao":"SECRET","key":"SECRET"},"number":"SECRET","issuer":"SECRET","issued":{"Year":1985,"Month":3,"Day":12},"expires":{"Year":1985,"Month":3,"Day":12},"postcode":"SECRET","page":"page-1","portrait":"portrait-1"}}`,
	`{"seq":25,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"vouch_given","fact":{"paper":true,"voucher":{"surname":{"icao":"SECRET","key":"SECRET"},"given":{"icao":"SECRET","key":"SECRET"},"birth":{"Year":1985,"Month":3,"Day":12},"sex":"X","nationality":"GBR"},"proofing":"SECRET","occupation":"teacher","organisation":"SECRET","register":"SECRET","contact":"SECRET","related":true,"same_address":true,"known_since":{"Year":1985,"Month":3,"Day":12},"given":{"Year":1985,"Month":3,"Day":12},"statement":"1","signed":true,"present":true,"call_back":"call_confirmed"}}`,
	`{"seq":26,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"practice_details_given","fact":{"source":"keys","ods":"SECRET","account":"SECRET","key":"SECRET"}}`,
	`{"seq":27,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"proxy_requested","fact":{"withdraw":true,"relationship":"SECRET","basis":"SECRET","seen":["SECRET"],"actions":["SECRET"],"until":{"Year":1985,"Month":3,"Day":12},"agreed":true,"text":"1","language":"cy","interpreter":true,"alone":true}}`,
	`{"seq":28,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"concern_raised","fact":{}}`,
	`{"seq":29,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"colleague_noticed","fact":{"self":true}}`,
	`{"seq":30,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"second_person_answered","fact":{"operator":"sam","confirms":true}}`,
	`{"seq":31,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"preferences_given","fact":{"email":"SECRET","mobile":"SECRET","contact":"SECRET","written":"SECRET","language":"SECRET","interpreter":"SECRET","pharmacy":"SECRET","opt_out":"SECRET"}}`,
	`{"seq":32,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"feedback_given","fact":{"score":4,"text":"SECRET"}}`,
	`{"seq":33,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"claim_made","fact":{"token":"SECRET","until":{"Year":1985,"Month":3,"Day":12}}}`,
	`{"seq":34,"at":"2026-11-22T10:00:00Z","mono":1000000000,"by":{"kind":"person","id":"robin"},"kind":"claim_redeemed","fact":{"token":"SECRET","email":"SECRET","mobile":"SECRET"}}`,
}

func TestEventsAreWrittenAsEver(t *testing.T) {
	t.Parallel()
	all := facts()
	if len(written) != len(all) {
		t.Fatalf("%d kinds of fact, %d written examples", len(all), len(written))
	}
	for i, f := range all {
		e := proof.Event{
			Seq: i + 1, At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Mono: time.Second,
			By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Fact: f,
		}
		got, err := json.Marshal(e)
		if err != nil || string(got) != written[i] {
			t.Errorf("%s is written\n%s\nwant\n%s\n%v", f.FactKind(), got, written[i], err)
		}
		var back proof.Event
		if err := json.Unmarshal([]byte(written[i]), &back); err != nil || !reflect.DeepEqual(back, e) {
			t.Errorf("%s of the past reads as %+v: %v", f.FactKind(), back, err)
		}
	}
}

func TestWordsOfTheListsDiffer(t *testing.T) {
	t.Parallel()
	// Two words of one list that are alike would be two meanings of one record.
	lists := map[string][]string{
		"asks": words(
			proof.AskProofingConsent, proof.AskFaceConsent, proof.CaptureDocument, proof.KeyDocument, proof.ExamineDocument,
			proof.CaptureFace, proof.CompareFaces, proof.ComparePerson, proof.Decide, proof.ConfirmResult, proof.SealRecord,
			proof.PrintSlip, proof.EndVisit, proof.Finish,
		),
		"codes": words(
			proof.DocExpired, proof.DocSpecimen, proof.DocCounterfeit, proof.DataMismatch, proof.ChecksFailed, proof.DateImpossible,
			proof.DocMisread, proof.FaceDifferent, proof.FaceUnsure, proof.FaceRefused, proof.FaceNotCompared,
			proof.OperatorNotTrained, proof.NoSuitableDocument, proof.PatientLeft, proof.ConsentRefused, proof.ClerkStopped,
			proof.CaptureKeepsFailing, proof.DeviceNotThere,
		),
		"results":   words(proof.Proved, proof.Review, proof.NotProved, proof.Abandoned),
		"decisions": words(proof.Match, proof.MatchConfirm, proof.ClerkDecides, proof.NoMatch, proof.NoFace, proof.ManyFaces),
		"answers":   words(proof.Same, proof.Different, proof.NotSure, proof.NotTrained),
		"methods": words(
			proof.PhysicalInPerson, proof.PhysicalUVIR, proof.Cryptographic, proof.RecordData, proof.PersonInPerson,
			proof.PersonRemote, proof.BiometricPresent,
		),
		"NHS levels": words(proof.NHSNone, proof.P0, proof.P5, proof.P9, proof.ParentAttested),
	}
	for name, list := range lists {
		seen := map[string]bool{}
		for _, w := range list {
			if w == "" || seen[w] {
				t.Errorf("%s: the word %q is empty or twice there", name, w)
			}
			seen[w] = true
		}
	}
}

// words are the words of a list as text.
func words[W ~string](list ...W) []string {
	var out []string
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

func TestPersonalWordsDoNotPrintThemselves(t *testing.T) {
	t.Parallel()
	// A String method would let a logger write a person out in passing.
	for _, word := range []any{
		proof.Name{}, proof.Person{}, proof.DocumentRead{}, proof.Event{}, proof.Operator{},
		&proof.Name{}, &proof.Person{}, &proof.DocumentRead{}, &proof.Event{}, &proof.Operator{},
	} {
		if _, prints := word.(fmt.Stringer); prints {
			t.Errorf("%T has a String method", word)
		}
		if _, logs := word.(interface{ LogValue() }); logs {
			t.Errorf("%T can be logged", word)
		}
	}
	if _, prints := any(proof.Date{}).(fmt.Stringer); !prints {
		t.Error("the check is blind: a date does print itself")
	}
}

func TestAVisitMayContinueAnother(t *testing.T) {
	t.Parallel()
	begun := proof.VisitStarted{Case: "c", Record: "00", Route: proof.Vouching, Continues: "R"}
	b, err := json.Marshal(proof.Event{Seq: 1, Fact: begun})
	if err != nil {
		t.Fatal(err)
	}
	var back proof.Event
	if err := json.Unmarshal(b, &back); err != nil || back.Fact != proof.Fact(begun) {
		t.Errorf("%s reads as %+v: %v", b, back.Fact, err)
	}
}

func TestAddDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from proof.Date
		days int
		want string
	}{
		{proof.Date{Year: 2024, Month: 2, Day: 28}, 1, "2024-02-29"},
		{proof.Date{Year: 2026, Month: 12, Day: 31}, 1, "2027-01-01"},
		{proof.Date{Year: 2026, Month: 3, Day: 1}, -1, "2026-02-28"},
		{proof.Date{Year: 2026, Month: 11, Day: 22}, 0, "2026-11-22"},
	} {
		if got := c.from.AddDays(c.days); got.String() != c.want {
			t.Errorf("%s and %d days is %s, want %s", c.from, c.days, got, c.want)
		}
	}
}

// TestErrorsTellNothingOfAFact reads facts that do not read: what was in them may
// be personal, and errors are logged.
func TestErrorsTellNothingOfAFact(t *testing.T) {
	t.Parallel()
	for kind, body := range map[proof.FactKind]string{
		"identity_claimed": `{"person":{"birth":"SECRET"}}`, "evidence_entered": `{"number":{"a":"SECRET"}}`, "vouch_given": `"SECRET"`,
		"practice_details_given": `[ "SECRET" ]`, "document_read": `{"lines":"SECRET"}`, "claim_redeemed": `{"token":7,"email":"SECRET"`,
	} {
		_, err := proof.ReadFact(kind, []byte(body))
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := proof.ReadFact("no_such_fact", []byte("{}")); err == nil {
		t.Error("a fact of no known kind was read")
	}
}

// TestEmptiedKeepsWhatAuditorsNeed holds that emptying a fact leaves how and when
// something was done, so that a visit can be followed without knowing whose it is.
func TestEmptiedKeepsWhatAuditorsNeed(t *testing.T) {
	t.Parallel()
	entered := proof.EvidenceEntered{Source: proof.FromKeys, Number: "N", Expires: born, Page: "page-1"}.Emptied().(proof.EvidenceEntered)
	if entered.Source != proof.FromKeys || entered.Expires != born || entered.Page != "page-1" || entered.Number != "" {
		t.Errorf("fields: %+v", entered)
	}
	vouch := proof.VouchGiven{Occupation: "teacher", Signed: true, KnownSince: born, Contact: "C"}.Emptied().(proof.VouchGiven)
	if vouch.Occupation != "teacher" || !vouch.Signed || vouch.KnownSince != born || vouch.Contact != "" {
		t.Errorf("vouch: %+v", vouch)
	}
	token := proof.ClaimMade{Token: "T", Until: born}.Emptied().(proof.ClaimMade)
	if token.Token != "" || token.Until != born {
		t.Errorf("token: %+v", token)
	}
	if f := (proof.FeedbackGiven{Score: 4, Text: "x"}).Emptied().(proof.FeedbackGiven); f.Score != 4 || f.Text != "" {
		t.Errorf("feedback: %+v", f)
	}
	if p := (proof.ProxyRequested{Withdraw: true, Text: "1", Basis: "consent"}).Emptied().(proof.ProxyRequested); !p.Withdraw || p.Text != "1" || p.Basis != "" {
		t.Errorf("request: %+v", p)
	}
}

// TestPartiesAreWords holds that the patient is the party that needs no word, so
// that records of the past, which knew nobody else, speak of patients.
func TestPartiesAreWords(t *testing.T) {
	t.Parallel()
	if proof.Patient != "" || proof.Voucher == "" || proof.Proxy == "" {
		t.Error("the patient has a word, or somebody else has none")
	}
	b, err := json.Marshal(proof.Ask{Kind: proof.Decide})
	if err != nil || strings.Contains(string(b), "party") {
		t.Errorf("an ask of the patient is written %s: %v", b, err)
	}
}

// TestKindsAreNamedOnce holds what crosses the socket and stands in catalogues: a
// name of its own for each Kind, in letters that a key may have.
func TestKindsAreNamedOnce(t *testing.T) {
	t.Parallel()
	seen := map[proof.Kind]bool{}
	for _, k := range proof.Kinds() {
		if k == proof.KindNone || seen[k] || strings.Trim(string(k), "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("the Kind %q is empty, there twice or no key", k)
		}
		seen[k] = true
	}
	if !seen[proof.KindNoDocument] || !seen[proof.KindLogDamaged] {
		t.Error("the first or the last Kind is not listed")
	}
}
