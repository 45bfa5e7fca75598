package export

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// testKey makes one key for all tests.
var testKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil
	}
	return key
})

// issuance issues to an invented name.
func issuance(testing.TB) Issuance {
	return Issuance{
		Key: testKey(), KeyID: "did:web:counter.example#1", Issuer: "https://counter.example", Subject: "urn:uuid:0b0c", Audience: "https://core.example",
		At: decided.Add(time.Minute), Life: time.Hour,
	}
}

// table reads a testdata file of fields; "#" starts a comment.
func table(t testing.TB, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for l := range strings.Lines(string(text)) {
		if f := strings.Fields(l); len(f) > 0 && f[0] != "#" {
			rows = append(rows, f)
		}
	}
	return rows
}

// verified takes a JWT apart after checking its signature as a reader does.
func verified(t testing.TB, jwt string, key *ecdsa.PublicKey) (header, claims object, err error) {
	t.Helper()
	if !jwtForm.MatchString(jwt) {
		return nil, nil, errors.New("it has not the form of a JWT")
	}
	parts := strings.Split(jwt, ".")
	var raw [3][]byte
	for i := range parts {
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(parts[i]); err != nil {
			return nil, nil, err
		}
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(raw[2][:32]), new(big.Int).SetBytes(raw[2][32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		return nil, nil, errors.New("the signature is wrong")
	}
	if err := json.Unmarshal(raw[0], &header); err != nil {
		return nil, nil, err
	}
	return header, claims, json.Unmarshal(raw[1], &claims)
}

// issued is the claims of a credential that must be made.
func issued(t testing.TB, p Proofing, piece int) object {
	t.Helper()
	jwt, err := IdentityCheck(p, piece, issuance(t))
	if err != nil {
		t.Fatal(err)
	}
	_, claims, err := verified(t, jwt, &testKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// vc is the credential's parts: the subject and the evidence.
func vc(claims object) (subject, evidence object) {
	credential := claims["vc"].(object)
	return credential["credentialSubject"].(object), credential["evidence"].(list)[0].(object)
}

// same compares with JSON as it is written.
func same(t *testing.T, what string, got any, want string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var sorted any
	if err := json.Unmarshal([]byte(want), &sorted); err != nil {
		t.Fatal(err)
	}
	if wanted, _ := json.Marshal(sorted); !bytes.Equal(text, wanted) {
		t.Errorf("%s: got %s, want %s", what, text, wanted)
	}
}

func TestIdentityCheck(t *testing.T) {
	t.Parallel()
	p := proofing(proof.High, "H1A", passport(), register())
	p.Vot = "P3"
	claims := issued(t, p, 0)
	subject, evidence := vc(claims)
	same(t, "type", claims["vc"].(object)["type"], `["VerifiableCredential","IdentityCheckCredential"]`)
	same(t, "subject", subject, `{
		"name":[{"nameParts":[{"type":"GivenName","value":"INGA"},{"type":"GivenName","value":"MARIA"},{"type":"FamilyName","value":"Silberstein-Møller"}]}],
		"birthDate":[{"value":"1991-11-06"}],
		"passport":[{"documentNumber":"L00123456","expiryDate":"2029-02-28","icaoIssuerCode":"UTO"}]}`)
	same(t, "evidence", evidence, `{
		"type":"IdentityCheck","txn":"CP-7Q2M-X4KD","strengthScore":4,"validityScore":3,"activityHistoryScore":0,"identityFraudScore":1,"verificationScore":3,
		"checkDetails":[
			{"checkMethod":"vcrypt","txn":"CP-7Q2M-X4KD-1-1","identityCheckPolicy":"published"},
			{"checkMethod":"pvp","txn":"CP-7Q2M-X4KD-1-2","photoVerificationProcessLevel":3},
			{"checkMethod":"data","txn":"GRO-4711","fraudCheck":"mortality_check"}]}`)
	at := float64(decided.Add(time.Minute).Unix())
	for key, want := range map[string]any{
		"iss": "https://counter.example", "sub": "urn:uuid:0b0c", "aud": "https://core.example", "vot": "P3",
		"nbf": at, "iat": at, "exp": at + 3600,
	} {
		if claims[key] != want {
			t.Errorf("%s: got %v, want %v", key, claims[key], want)
		}
	}
	if jti, _ := claims["jti"].(string); len(jti) < 20 || jti == issued(t, p, 0)["jti"] {
		t.Errorf("jti %q is short or comes again", jti)
	}
}

// TestSubjects: where each kind of document goes, and what it must have.
func TestSubjects(t *testing.T) {
	t.Parallel()
	full := licence().Document
	for _, c := range []struct {
		name string
		kind proof.EvidenceType
		edit func(*Document)
		want string // "" where the credential has no form for it
	}{
		{"licence/GB", "uk_dl", nil, `"drivingPermit":[{"personalNumber":"SILBE961061IM9IJ","expiryDate":"2030-12-31","issueDate":"2021-01-01","issuedBy":"DVLA","issuingCountry":"GB"}]`},
		{"licence/Germany", "eu_dl", func(d *Document) { d.Personal, d.Issuer = "", Issuer{Code: "D"} },
			`"drivingPermit":[{"personalNumber":"SILBE961061IM9IJ35","expiryDate":"2030-12-31","issueDate":"2021-01-01","issuingCountry":"DE"}]`},
		{"licence/of-nobody", "eu_dl", func(d *Document) { d.Issuer = Issuer{Code: "XXX"} }, ""},
		{"licence/no-number", "uk_dl", func(d *Document) { d.Personal, d.Number = "", "" }, ""},
		{"identity-card", "eea_id_chip", nil, `"idCard":[{"documentNumber":"SILBE961061IM9IJ35","expiryDate":"2030-12-31","issueDate":"2021-01-01","icaoIssuerCode":"GBR"}]`},
		{"passport/expiry-not-whole", "passport", func(d *Document) { d.Expires.Day = 0 }, `"passport":[{"documentNumber":"SILBE961061IM9IJ35","icaoIssuerCode":"GBR"}]`},
		{"passport/no-issuer", "passport", func(d *Document) { d.Issuer.Code = "" }, ""},
		{"permit/IR", "brp_chip", func(d *Document) { d.Code = "IR" }, `"residencePermit":[{"documentType":"IR","documentNumber":"SILBE961061IM9IJ35","expiryDate":"2030-12-31","icaoIssuerCode":"GBR"}]`},
		{"permit/other", "brp_chip", func(d *Document) { d.Code = "ID" }, ""},
		{"account", "bank_account", func(d *Document) { d.SortCode, d.Number = "040004", "12345678" }, `"bankAccount":[{"sortCode":"040004","accountNumber":"12345678"}]`},
		{"account/last-four", "bank_account", func(d *Document) { d.SortCode, d.Number = "040004", "5678" }, ""},
		{"account/letters", "bank_account", func(d *Document) { d.SortCode, d.Number = "04-004", "12345678" }, ""},
		{"birth-certificate", "birth_cert", nil, ""},
		{"passport-card", "us_passport_card", nil, ""},
	} {
		piece := licence()
		document := *full
		piece.Document, piece.Score.Type = &document, c.kind
		if c.edit != nil {
			c.edit(&document)
		}
		p := proofing(proof.Medium, "M1C", piece)
		jwt, err := IdentityCheck(p, 0, issuance(t))
		if c.want == "" {
			if !errors.Is(err, ErrNoSubject) || jwt != "" {
				t.Errorf("%s: got %q (%v), want %v", c.name, jwt, err, ErrNoSubject)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		subject, _ := vc(issued(t, p, 0))
		delete(subject, "name")
		delete(subject, "birthDate")
		same(t, c.name, subject, "{"+c.want+"}")
	}
	for _, other := range []Piece{vouched(), register()} {
		if _, err := IdentityCheck(proofing(proof.Medium, "M1C", other), 0, issuance(t)); !errors.Is(err, ErrNoSubject) {
			t.Errorf("got %v, want %v", err, ErrNoSubject)
		}
	}
	nino := Piece{Score: proof.Evidence{Type: "nino_record", Strength: 2, Validity: 2}, Record: &Record{Type: "nino_record", Personal: "AA000003D"},
		Checks: []Check{checked(proof.RecordData, "validity", 2, "validity_record")}}
	subject, evidence := vc(issued(t, proofing(proof.Medium, "M1C", nino), 0))
	same(t, "nino", subject["socialSecurityRecord"], `[{"personalNumber":"AA000003D"}]`)
	same(t, "nino", evidence["checkDetails"], `[{"checkMethod":"data","txn":"CP-7Q2M-X4KD-1-1","identityCheckPolicy":"published","dataCheck":"record_check"}]`)
}

// TestCheckDetails: the keys of each kind of check.
func TestCheckDetails(t *testing.T) {
	t.Parallel()
	activity := checked(proof.RecordData, "activity", 1, "")
	activity.Since = proof.Date{Year: 2019, Month: 3, Day: 1}
	lost := checked(proof.RecordData, "validity", 2, "")
	lost.Code = "lost_stolen_check"
	for name, c := range map[string]struct {
		check Check
		want  string
	}{
		"face/trained":    {checked(proof.PersonInPerson, "verification", 2, ""), `{"checkMethod":"pvp","txn":"x","photoVerificationProcessLevel":2}`},
		"face/voucher":    {checked(proof.PersonInPerson, "verification", 1, ""), `{"checkMethod":"pvp","txn":"x"}`},
		"face/remote":     {checked(proof.PersonRemote, "verification", 2, ""), `{"checkMethod":"pvr","txn":"x","photoVerificationProcessLevel":2}`},
		"face/machine":    {checked(proof.BiometricPresent, "verification", 4, ""), `{"checkMethod":"bvp","txn":"x","biometricVerificationProcessLevel":3}`},
		"account-history": {activity, `{"checkMethod":"data","txn":"x","identityCheckPolicy":"published","activityFrom":"2019-03-01"}`},
		"lost-and-stolen": {lost, `{"checkMethod":"data","txn":"x","identityCheckPolicy":"published","dataCheck":"lost_stolen_check"}`},
		"UV":              {checked(proof.PhysicalUVIR, "validity", 3, ""), `{"checkMethod":"vpiruv","txn":"x","identityCheckPolicy":"published"}`},
	} {
		text, err := json.Marshal(licence().credentialCheck(c.check, "x"))
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != c.want {
			t.Errorf("%s: got %s, want %s", name, text, c.want)
		}
	}
}

// TestCounterCredentials: the scores and codes of a counter's credential, good
// and failed.
func TestCounterCredentials(t *testing.T) {
	t.Parallel()
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, row := range table(t, "f2f.txt") {
		piece := passport()
		piece.Score = proof.Evidence{Type: proof.EvidenceType(row[1]), Strength: number(row[6]), Validity: number(row[3])}
		if row[1] == "uk_dl" {
			piece.Document = licence().Document
		}
		reason := proof.Code(strings.Trim(row[4], "-"))
		document, face := checked(proof.CheckMethod(row[2]), "validity", piece.Score.Validity, ""), checked(proof.PersonInPerson, "verification", number(row[5]), "")
		if strings.HasPrefix(row[4], "face_") {
			face.Reason = reason
		} else {
			document.Reason = reason
		}
		piece.Checks = []Check{document, face}
		p := proofing(proof.Medium, "M1C", piece)
		if number(row[7]) == 0 || number(row[8]) == 0 {
			p.Outcome.Result, p.Outcome.Level = proof.NotProved, proof.NoLevel
		}
		_, evidence := vc(issued(t, p, 0))
		for key, want := range map[string]int{"strengthScore": number(row[6]), "validityScore": number(row[7]), "verificationScore": number(row[8])} {
			if evidence[key] != float64(want) {
				t.Errorf("%s: %s is %v, want %d", row[0], key, evidence[key], want)
			}
		}
		failed := row[9] == "-" || strings.ToUpper(row[9]) == row[9]
		if (evidence["failedCheckDetails"] != nil) != failed || (evidence["checkDetails"] != nil) == failed {
			t.Errorf("%s: got %v, want either the one or the other details", row[0], evidence)
		}
		if !failed && evidence["checkDetails"].(list)[0].(object)["checkMethod"] != row[9] {
			t.Errorf("%s: got %v, want %s", row[0], evidence["checkDetails"], row[9])
		}
		ci := strings.Trim(strings.ReplaceAll(fmt.Sprint(evidence["ci"]), "<nil>", "-"), "[]")
		if failed != (evidence["ci"] != nil) && row[9] != "-" || failed && ci != row[9] {
			t.Errorf("%s: got ci %q, want %s", row[0], ci, row[9])
		}
	}
}

// TestIndicatorsInOrder: fraud first, then the document, then the face, each once.
func TestIndicatorsInOrder(t *testing.T) {
	t.Parallel()
	piece := passport()
	piece.Checks = nil
	for _, reason := range []proof.Code{"mask", "doc_expired", "hologram_missing", "doc_tampered", "doc_fraud_list", "chip_signature_failed", "data_mismatch"} {
		piece.Checks = append(piece.Checks, checked(proof.PhysicalInPerson, "validity", 0, reason))
	}
	if got := strings.Join(piece.contra(), " "); got != "F03 D14 D16 V01" {
		t.Errorf("got %s", got)
	}
	piece.Checks = []Check{checked(proof.PersonInPerson, "verification", 3, "face_different")}
	if got := piece.contra(); got != nil {
		t.Errorf("a check that scored: got %v", got)
	}
}

func TestVots(t *testing.T) {
	t.Parallel()
	for _, row := range table(t, "vots.txt") {
		for _, vot := range []string{"", "P0", "P1", "P2", "P3", "P4"} {
			p := medium()
			p.Outcome.Level, p.Vot = proof.Level(row[0]), vot
			_, err := IdentityCheck(p, 0, issuance(t))
			if want := vot == "" || slices.Contains(row[1:], vot); (err == nil) != want {
				t.Errorf("%q beside %s: got %v", vot, row[0], err)
			}
		}
	}
	p := medium()
	p.Outcome.Result, p.Vot = proof.NotProved, "P1"
	if _, err := IdentityCheck(p, 0, issuance(t)); !errors.Is(err, ErrNotProved) {
		t.Errorf("not proved: got %v", err)
	}
}

func TestNotIssued(t *testing.T) {
	t.Parallel()
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*Proofing, *Issuance, *int)
		want   error // nil for any
	}{
		{"training", func(p *Proofing, _ *Issuance, _ *int) { p.Outcome.Training = true }, ErrTraining},
		{"review", func(p *Proofing, _ *Issuance, _ *int) { p.Outcome.Result = proof.Review }, ErrNotProved},
		{"pending", func(p *Proofing, _ *Issuance, _ *int) { p.Outcome.Result = proof.Pending }, ErrNotProved},
		{"abandoned", func(p *Proofing, _ *Issuance, _ *int) { p.Outcome.Result = proof.Abandoned }, ErrNotProved},
		{"nothing-checked", func(p *Proofing, _ *Issuance, _ *int) { p.Pieces[0].Checks, p.Pieces[0].Score.Validity = nil, 0 }, ErrUnexplained},
		{"validity-unexplained", func(p *Proofing, _ *Issuance, _ *int) { p.Pieces[0].Checks[1].Score = 1 }, ErrUnexplained},
		{"number-as-document", func(p *Proofing, _ *Issuance, _ *int) {
			p.NHSNumber, p.NumberGiven, p.Pieces[0].Document.Personal = "9000000009", true, "9000000009"
		}, ErrNHSNumber},
		{"number-as-subject", func(p *Proofing, i *Issuance, _ *int) { p.NHSNumber, i.Subject = "9000000009", "urn:nhs:900-000-0009" }, ErrNHSNumber},
		{"birth-not-whole", func(p *Proofing, _ *Issuance, _ *int) { p.Person.Birth.Day = 0 }, nil},
		{"no-such-piece", func(_ *Proofing, _ *Issuance, n *int) { *n = 1 }, nil},
		{"negative-piece", func(_ *Proofing, _ *Issuance, n *int) { *n = -1 }, nil},
		{"no-issuer", func(_ *Proofing, i *Issuance, _ *int) { i.Issuer = "" }, nil},
		{"no-subject", func(_ *Proofing, i *Issuance, _ *int) { i.Subject = "" }, nil},
		{"no-time", func(_ *Proofing, i *Issuance, _ *int) { i.At = time.Time{} }, nil},
		{"negative-life", func(_ *Proofing, i *Issuance, _ *int) { i.Life = -1 }, nil},
		{"no-key", func(_ *Proofing, i *Issuance, _ *int) { i.Key = nil }, nil},
		{"key-of-another-curve", func(_ *Proofing, i *Issuance, _ *int) { i.Key = other }, nil},
	} {
		p, i, n := medium(), issuance(t), 0
		c.change(&p, &i, &n)
		jwt, err := IdentityCheck(p, n, i)
		if err == nil || jwt != "" || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %q (%v), want %v", c.name, jwt, err, c.want)
		}
	}
	known := medium()
	known.NHSNumber = "9000000009"
	if claims := issued(t, known, 0); known.tells(fmt.Append(nil, claims["vc"])) {
		t.Error("a number that is known only is in the credential")
	}
}
