package export

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Issuance is who issues a credential to whom.
type Issuance struct {
	Key      crypto.Signer // ECDSA on P-256
	KeyID    string        // its name to readers, such as a DID
	Issuer   string        // our name to readers
	Subject  string        // a name of the person that tells nothing about them
	Audience string        // "" for none
	At       time.Time     // when it is issued, and valid from
	Life     time.Duration // 0 for no end
}

// credentialClaims is the payload of the JWT.
type credentialClaims struct {
	Issuer     string     `json:"iss"`
	Subject    string     `json:"sub"`
	Audience   string     `json:"aud,omitempty"`
	NotBefore  int64      `json:"nbf"` // seconds since 1970
	IssuedAt   int64      `json:"iat"`
	Expires    int64      `json:"exp,omitempty"`
	ID         string     `json:"jti"`
	Vot        string     `json:"vot,omitempty"`
	Credential credential `json:"vc"`
}

// credential is a verifiable credential in the form that One Login gives it.
type credential struct {
	Type     []string        `json:"type"`
	Subject  subject         `json:"credentialSubject"`
	Evidence []identityCheck `json:"evidence"`
}

// subject is the person and, under the name of its kind, the one document.
type subject struct {
	Name            []subjectName     `json:"name"`
	Birth           []value           `json:"birthDate"`
	Passport        []travelDocument  `json:"passport,omitempty"`
	IDCard          []travelDocument  `json:"idCard,omitempty"`
	ResidencePermit []residencePermit `json:"residencePermit,omitempty"`
	DrivingPermit   []drivingPermit   `json:"drivingPermit,omitempty"`
	BankAccount     []bankAccount     `json:"bankAccount,omitempty"`
	SocialSecurity  []personalNumber  `json:"socialSecurityRecord,omitempty"`
}

// subjectName is a name in its parts, in order.
type subjectName struct {
	Parts []namePart `json:"nameParts"`
}

// namePart is a GivenName or a FamilyName.
type namePart struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type value struct {
	Value string `json:"value"`
}

// travelDocument is a passport or an identity card.
type travelDocument struct {
	Number  string `json:"documentNumber"`
	Expires string `json:"expiryDate,omitempty"`
	Issued  string `json:"issueDate,omitempty"`
	Issuer  string `json:"icaoIssuerCode"`
}

// residencePermit is a biometric residence permit or card.
type residencePermit struct {
	Type string `json:"documentType"` // IR or CR
	travelDocument
}

// drivingPermit is a licence, whose number is that of the driver.
type drivingPermit struct {
	Personal string `json:"personalNumber"`
	Expires  string `json:"expiryDate,omitempty"`
	Issued   string `json:"issueDate,omitempty"`
	IssuedBy string `json:"issuedBy,omitempty"`
	Country  string `json:"issuingCountry,omitempty"` // ISO 3166-1, two letters
}

// bankAccount is an account, whole; the counter keeps four digits of it only.
type bankAccount struct {
	SortCode string `json:"sortCode"`
	Number   string `json:"accountNumber"`
}

// personalNumber is a National Insurance number.
type personalNumber struct {
	Number string `json:"personalNumber"`
}

// identityCheck is the evidence of a credential: five scores, and either the
// checks that they rest on or those that failed.
type identityCheck struct {
	Type         string            `json:"type"`
	Txn          string            `json:"txn"`
	Strength     int               `json:"strengthScore"`
	Validity     int               `json:"validityScore"`
	Activity     int               `json:"activityHistoryScore"`
	Fraud        int               `json:"identityFraudScore"`
	Verification int               `json:"verificationScore"`
	Checks       []credentialCheck `json:"checkDetails,omitempty"`
	Failed       []credentialCheck `json:"failedCheckDetails,omitempty"`
	CI           []string          `json:"ci,omitempty"`
}

// credentialCheck is one check; which members it has depends on its part.
type credentialCheck struct {
	Method         proof.CheckMethod `json:"checkMethod"`
	Txn            string            `json:"txn"`
	Policy         string            `json:"identityCheckPolicy,omitempty"`
	PhotoLevel     int               `json:"photoVerificationProcessLevel,omitempty"`
	BiometricLevel int               `json:"biometricVerificationProcessLevel,omitempty"`
	FraudCheck     string            `json:"fraudCheck,omitempty"`
	DataCheck      string            `json:"dataCheck,omitempty"`
	ActivityFrom   string            `json:"activityFrom,omitempty"`
}

// votLevels are the lowest GPG 45 level that each level of confidence stands for.
var votLevels = map[string]proof.Level{"P1": proof.Low, "P2": proof.Medium, "P3": proof.High}

// IdentityCheck writes one piece of evidence of a proofing as One Login's
// IdentityCheckCredential, a JWT signed by ES256 in compact form. A credential
// holds one document, so a proofing with several becomes several credentials; the
// fraud and activity scores, which are of the identity, are in each.
//
// Where the document failed, or the person was another, it has
// failedCheckDetails and the contra-indicators of One Login in place of
// checkDetails. Two credentials of the same content differ in jti and signature;
// see signES256 for what the signature does not promise.
//
// The errors are ErrNotProved for a visit that people still look at or that came
// to nothing, ErrTraining, ErrNoSubject, ErrUnexplained, ErrNHSNumber, and what
// the input contradicts itself in.
func IdentityCheck(p Proofing, piece int, i Issuance) (string, error) {
	jwt, err := p.credential(piece, i)
	if err != nil {
		return "", fmt.Errorf("exporting a credential: %w", err)
	}
	return jwt, nil
}

// credential makes, looks at and signs a credential.
func (p Proofing) credential(piece int, i Issuance) (string, error) {
	claims, err := p.credentialClaims(piece, i)
	if err != nil {
		return "", err
	}
	// The format has no place for an NHS number, so that it was given is no reason
	// for it to be there. The times are left out of the comparison: they are ten
	// digits themselves.
	timeless := claims
	timeless.NotBefore, timeless.IssuedAt, timeless.Expires = 0, 0, 0
	shown, err := json.Marshal(timeless)
	if err == nil && p.tells(shown) {
		err = ErrNHSNumber
	}
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return signES256(text, i.KeyID, i.Key)
}

// credentialClaims makes the claims of a piece's credential.
func (p Proofing) credentialClaims(piece int, i Issuance) (credentialClaims, error) {
	if err := p.check(); err != nil {
		return credentialClaims{}, err
	}
	if err := p.issuable(piece, i); err != nil {
		return credentialClaims{}, err
	}
	s, err := p.subject(p.Pieces[piece])
	if err != nil {
		return credentialClaims{}, err
	}
	check, err := p.identityCheck(piece)
	if err != nil {
		return credentialClaims{}, err
	}
	c := credentialClaims{
		Issuer: i.Issuer, Subject: i.Subject, Audience: i.Audience, ID: rand.Text(), Vot: p.Vot,
		NotBefore: i.At.Unix(), IssuedAt: i.At.Unix(),
		Credential: credential{
			Type: []string{"VerifiableCredential", "IdentityCheckCredential"}, Subject: s, Evidence: []identityCheck{check},
		},
	}
	if i.Life > 0 {
		c.Expires = i.At.Add(i.Life).Unix()
	}
	return c, nil
}

// issuable refuses what must not be or cannot be issued.
func (p Proofing) issuable(piece int, i Issuance) error {
	o := p.Outcome
	switch {
	case piece < 0 || piece >= len(p.Pieces):
		return errors.New("there is no such piece of evidence")
	case i.Issuer == "" || i.Subject == "" || i.At.IsZero() || i.Life < 0:
		return errors.New("issuer, subject or time is missing")
	case o.Training:
		return ErrTraining
	case o.Result != proof.Proved && o.Result != proof.NotProved:
		return ErrNotProved
	case p.Vot == "":
		return nil
	}
	needed, known := votLevels[p.Vot]
	if !known || o.Result != proof.Proved || needed.Above(o.Level) {
		return fmt.Errorf("%w: the level of confidence is above the proofing's", ErrNotProved)
	}
	return nil
}

// subject is the person and the document.
func (p Proofing) subject(e Piece) (subject, error) {
	birth := day(p.Person.Birth)
	if birth == "" {
		return subject{}, errors.New("the credential needs a whole date of birth")
	}
	s := subject{Name: []subjectName{{p.nameParts()}}, Birth: []value{{birth}}}
	switch {
	case e.Record != nil && e.Score.Type == "nino_record" && e.Record.Personal != "":
		s.SocialSecurity = []personalNumber{{e.Record.Personal}}
	case e.Document == nil || !s.add(*e.Document, documentType(e.Score.Type)):
		return subject{}, ErrNoSubject
	}
	return s, nil
}

// nameParts lists the given names, each for itself, and the surname.
func (p Proofing) nameParts() []namePart {
	var parts []namePart
	for name := range strings.FieldsSeq(spoken(p.Person.Given)) {
		parts = append(parts, namePart{"GivenName", name})
	}
	if family := spoken(p.Person.Surname); family != "" {
		parts = append(parts, namePart{"FamilyName", family})
	}
	return parts
}

// add puts a document under the name that the credential has for its kind, and
// reports false where it has none or a detail that it must have is missing.
func (s *subject) add(d Document, kind string) bool {
	travel := travelDocument{Number: d.Number, Expires: day(d.Expires), Issuer: d.Issuer.Code}
	complete := d.Number != "" && d.Issuer.Code != ""
	switch kind {
	case "passport":
		s.Passport = []travelDocument{travel}
	case "idcard":
		travel.Issued = day(d.Issued)
		s.IDCard = []travelDocument{travel}
	case "residence_permit":
		s.ResidencePermit = []residencePermit{{d.Code, travel}}
		complete = complete && (d.Code == "IR" || d.Code == "CR")
	case "driving_permit":
		permit := drivingPermit{Personal: cmp.Or(d.Personal, d.Number), Expires: day(d.Expires), Issued: day(d.Issued),
			IssuedBy: d.Issuer.Name, Country: twoLetters[d.Issuer.Code]}
		s.DrivingPermit = []drivingPermit{permit}
		complete = permit.Personal != "" && (permit.IssuedBy != "" || permit.Country != "")
	case "bank_statement":
		s.BankAccount = []bankAccount{{d.SortCode, d.Number}}
		complete = digits(d.SortCode, 6) && digits(d.Number, 8)
	default:
		return false
	}
	return complete
}

// digits reports a number of so many ASCII digits.
func digits(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }

// twoLetters are the ISO 3166-1 codes of the states whose driving licences are
// evidence of their own: the United Kingdom, the EU and the EEA. Germany's ICAO
// code is D.
var twoLetters = map[string]string{
	"AUT": "AT", "BEL": "BE", "BGR": "BG", "CYP": "CY", "CZE": "CZ", "D": "DE", "DEU": "DE", "DNK": "DK", "ESP": "ES",
	"EST": "EE", "FIN": "FI", "FRA": "FR", "GBR": "GB", "GRC": "GR", "HRV": "HR", "HUN": "HU", "IRL": "IE", "ISL": "IS",
	"ITA": "IT", "LIE": "LI", "LTU": "LT", "LUX": "LU", "LVA": "LV", "MLT": "MT", "NLD": "NL", "NOR": "NO", "POL": "PL",
	"PRT": "PT", "ROU": "RO", "SVK": "SK", "SVN": "SI", "SWE": "SE",
}

// indicators are One Login's contra-indicators, by our reason codes. It has none
// for what a chip says.
var indicators = map[proof.Code]string{
	"doc_fraud_list":  "F03",
	"doc_counterfeit": "D14", "doc_tampered": "D14", "hologram_missing": "D14", "doc_number_invalid": "D14",
	"doc_expired":    "D16",
	"face_different": "V01", "face_not_live": "V01", "face_age_gap": "V01", "photo_of_photo": "V01", "mask": "V01",
}

// grave is the order in which contra-indicators are told: fraud, then the
// document, then the face.
var grave = []string{"F03", "D14", "D16", "V01"}

// contra lists the contra-indicators of a piece.
func (e Piece) contra() []string {
	var ci []string
	for _, indicator := range grave {
		if slices.ContainsFunc(e.Checks, func(c Check) bool { return c.Score == 0 && indicators[c.Reason] == indicator }) {
			ci = append(ci, indicator)
		}
	}
	return ci
}

// identityCheck is the evidence of a credential.
func (p Proofing) identityCheck(piece int) (identityCheck, error) {
	e, s := p.Pieces[piece], p.Outcome.Scores
	if !e.explained() || len(e.Checks) == 0 {
		return identityCheck{}, ErrUnexplained
	}
	check := identityCheck{
		Type: "IdentityCheck", Txn: p.Process, Strength: e.Score.Strength, Validity: e.Score.Validity,
		Activity: min(s.Activity, p.best(partActivity)), Fraud: min(s.Fraud, p.best(partFraud)),
		Verification: min(s.Verification, e.best(partVerification)), CI: e.contra(),
	}
	// A photo that is not genuine compares with nobody.
	if check.Validity == 0 || slices.Contains(check.CI, "V01") {
		check.Verification = 0
	}
	if check.Validity == 0 || len(check.CI) > 0 {
		check.Failed = p.failedChecks(piece)
	} else {
		check.Checks = p.countedChecks(piece)
	}
	return check, nil
}

// failedChecks are the checks of a piece that told against it.
func (p Proofing) failedChecks(piece int) []credentialCheck {
	e := p.Pieces[piece]
	var out []credentialCheck
	for n, c := range e.Checks {
		if c.failed() {
			_, txn := p.ids(piece, n)
			out = append(out, e.credentialCheck(c, txn))
		}
	}
	return out
}

// countedChecks are the checks that a piece's scores rest on: its own, and those
// of the identity wherever they were made.
func (p Proofing) countedChecks(piece int) []credentialCheck {
	var out []credentialCheck
	for i, e := range p.Pieces {
		for n, c := range e.Checks {
			ofIdentity := e.counts() && (c.Part == partActivity || c.Part == partFraud)
			if c.Score > 0 && (i == piece || ofIdentity) {
				_, txn := p.ids(i, n)
				out = append(out, e.credentialCheck(c, txn))
			}
		}
	}
	return out
}

// failed reports a check that told against the document or the person, not one
// that was only not made.
func (c Check) failed() bool {
	return c.Score == 0 && (c.Part == partValidity || indicators[c.Reason] != "")
}

// credentialCheck writes a check in the keys of its part.
func (e Piece) credentialCheck(c Check, txn string) credentialCheck {
	out := credentialCheck{Method: e.method(c), Txn: txn}
	// The format has levels 2 and 3 only.
	level := 0
	if c.Score >= 2 {
		level = min(c.Score, 3)
	}
	switch {
	case c.Part == partFraud:
		out.FraudCheck = c.Code
	case c.Part == partActivity:
		out.Policy, out.ActivityFrom = "published", day(c.Since)
	case c.Part == partValidity && out.Method == proof.RecordData:
		out.Policy, out.DataCheck = "published", cmp.Or(c.Code, "record_check")
	case c.Part == partValidity:
		out.Policy = "published"
	case out.Method == proof.PersonInPerson || out.Method == proof.PersonRemote:
		out.PhotoLevel = level
	case out.Method == proof.BiometricPresent || out.Method == "bvr":
		out.BiometricLevel = level
	}
	return out
}
