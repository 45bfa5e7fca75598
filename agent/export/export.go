// Package export writes a decided proofing in the forms that others read: as
// verified_claims of OpenID Identity Assurance, and as the identity check
// credential of GOV.UK One Login, a JWT signed by ES256. It is for the opening
// zone, which knows the whole proofing.
//
// It decides nothing and scores nothing; it fetches nothing and sends nothing.
//
// # The laws
//
//   - Only what was proved is exported. A visit that people still look at, that
//     is pending or that gave no level has no verified_claims.
//   - A score without the check that it rests on is an error, not an export.
//   - The NHS number is in no export unless the person gave it, wherever in the
//     input it stands.
//   - A proofing made in training never looks like a real one.
//   - As little as the format needs: no picture, no sex, no nationality, no
//     operator, no reason beyond the codes of the format.
package export

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Proofing is one decided proofing with what its scores rest on.
type Proofing struct {
	// Process is our reference of the proofing: letters, digits and hyphens that
	// tell nothing about the person.
	Process string
	Person  proof.Person // as the evidence that counted tells them
	Outcome proof.Outcome
	// Vot is the level of confidence that One Login gives one of the profiles
	// that are met (P1, P2, P3; the policy's OneLogin), "" where it gives none.
	Vot string
	// Decided is when the result was settled, at the counter or after it.
	Decided time.Time
	// Organisation is where it was proved; checks without their own have it.
	Organisation string
	Pieces       []Piece

	NHSNumber   nhs.Number // "" where it is not known here
	NumberGiven bool       // the person gave it; otherwise it was found
}

// Piece is one piece of evidence, or one record that was asked for a check:
// exactly one of Document, Record and Vouch is set.
type Piece struct {
	// Score is the evidence as it counted; zero for a record that was only asked
	// (a fraud register, a death register, PDS).
	Score    proof.Evidence
	Checks   []Check // in the order in which they were made
	Document *Document
	Record   *Record
	Vouch    *Vouch
}

// Check is one check of a piece.
type Check struct {
	proof.Check
	At           time.Time
	Organisation string // that made it; "" is the proofing's
	Txn          string // its reference at that organisation; "" is our own
	// Code says what was asked of a record: for fraud mortality_check,
	// identity_theft_check, impersonation_risk_check, synthetic_identity_check,
	// applicable_authoritative_source or available_authoritative_source; for
	// validity record_check, cancelled_check or lost_stolen_check.
	Code  string
	Since proof.Date // activity: known from
}

// Document is what a document says of itself.
type Document struct {
	Number   string // of the document
	Personal string // of the person at the issuer: a driver number
	Serial   string
	SortCode string // of a bank account, six digits; Number is its eight then
	Code     string // first two signs of the machine-readable zone: "IR", "CR"
	Issued   proof.Date
	Expires  proof.Date
	Issuer   Issuer
}

// Issuer is who issued a document or holds a record.
type Issuer struct {
	Name         string // "DVLA"
	Country      string // its name
	Code         string // ICAO 9303-3 §5 code of the country: "GBR", "D"
	Jurisdiction string // "GB-GBN"
}

// Record is an electronic record that was asked.
type Record struct {
	Type     string // "population_register", "death_register", "fraud_register", "bank_account"
	Source   Issuer
	Personal string // of the person there; only a National Insurance number is ever exported
	Created  proof.Date
	Expires  proof.Date
}

// Vouch is a declaration by somebody who knows the person.
type Vouch struct {
	Paper        bool
	Reference    string
	Given        proof.Date
	Expires      proof.Date
	Name         string // of the voucher
	Birth        proof.Date
	Occupation   string
	Organisation string
}

// Why something is not exported.
var (
	ErrNotProved   = errors.New("the proofing gave nothing that may be exported")
	ErrTraining    = errors.New("the proofing was made in training")
	ErrUnexplained = errors.New("a score has no check that it rests on")
	ErrNHSNumber   = errors.New("the NHS number would be exported though the person did not give it")
	ErrNoSubject   = errors.New("the credential has no form for this piece of evidence")
)

// Parts of a score, as proof.Check names them.
const (
	partValidity     = "validity"
	partVerification = "verification"
	partActivity     = "activity"
	partFraud        = "fraud"
)

// process is the form of a reference.
var process = regexp.MustCompile(`^[0-9A-Za-z-]{4,64}$`)

// check refuses an input that contradicts itself.
func (p Proofing) check() error {
	s := p.Outcome.Scores
	switch {
	case !process.MatchString(p.Process):
		return errors.New("the reference of the proofing is not 4 to 64 letters, digits and hyphens")
	case p.Decided.IsZero():
		return errors.New("the proofing has no time")
	case spoken(p.Person.Surname) == "" && spoken(p.Person.Given) == "":
		return errors.New("the person has no name")
	case !within(s.Activity, 4) || !within(s.Fraud, 3) || !within(s.Verification, 4):
		return errors.New("a score is out of its range")
	case p.NHSNumber != "" && !validNumber(p.NHSNumber):
		return errors.New("the NHS number is not one")
	}
	for i, piece := range p.Pieces {
		if err := piece.check(); err != nil {
			return fmt.Errorf("piece %d: %w", i+1, err)
		}
	}
	return nil
}

// validNumber reports an NHS number in its own form.
func validNumber(n nhs.Number) bool {
	same, err := nhs.NormaliseNumber(string(n))
	return err == nil && same == n
}

// within reports a score from 0 to a highest.
func within(score, highest int) bool { return score >= 0 && score <= highest }

// check refuses a piece of no kind or several, and checks that the formats have
// no word for.
func (e Piece) check() error {
	kinds := 0
	for _, is := range []bool{e.Document != nil, e.Record != nil, e.Vouch != nil} {
		if is {
			kinds++
		}
	}
	asked := e.Record != nil && e.Score == proof.Evidence{}
	switch {
	case kinds != 1:
		return errors.New("it is not exactly one of document, record and vouch")
	case !asked && (e.Score.Strength < 1 || e.Score.Strength > 4 || !within(e.Score.Validity, 4)):
		return errors.New("its scores are out of their range")
	case e.Record != nil && e.Record.Type == "":
		return errors.New("the record has no type")
	}
	for _, c := range e.Checks {
		if err := e.checkOne(c); err != nil {
			return err
		}
	}
	return nil
}

// checkOne refuses a check that the formats have no words for.
func (e Piece) checkOne(c Check) error {
	if e.method(c) == "" || !within(c.Score, 4) {
		return errors.New("a check has no method that the formats know, or no score")
	}
	if c.Code != "" && !slices.Contains(codesOf[c.Part], c.Code) {
		return errors.New("a check has a code that the formats do not know")
	}
	return nil
}

// codesOf are the codes of what is asked of a record, by part (GOV.UK One Login
// vocabulary, fraudCheck and dataCheck).
var codesOf = map[string][]string{
	partFraud: {"mortality_check", "identity_theft_check", "impersonation_risk_check", "synthetic_identity_check",
		"applicable_authoritative_source", "available_authoritative_source"},
	partValidity: {"record_check", "cancelled_check", "lost_stolen_check"},
}

// methods are the check methods of OpenID Identity Assurance that a counter or
// an opener may have used.
var methods = []proof.CheckMethod{
	proof.PhysicalInPerson, proof.PhysicalUVIR, "vri", "vdig", proof.Cryptographic, proof.RecordData,
	proof.PersonInPerson, proof.PersonRemote, proof.BiometricPresent, "bvr", "kbv", "auth", "token",
}

// method is how the formats call the way a check was made, "" where they do not.
// They have no method for a vouch: a letter is inspected (vpip), a statement made
// at the desk is a digital one (vdig), and a voucher who confirms the person
// present has compared them in person (pvp).
func (e Piece) method(c Check) proof.CheckMethod {
	switch {
	case c.Method == gpg45.MethodVouch && e.Vouch == nil:
		return ""
	case c.Method == gpg45.MethodVouch && c.Part == partVerification:
		return proof.PersonInPerson
	case c.Method == gpg45.MethodVouch && e.Vouch.Paper:
		return proof.PhysicalInPerson
	case c.Method == gpg45.MethodVouch:
		return "vdig"
	case slices.Contains(methods, c.Method):
		return c.Method
	}
	return ""
}

// best is the highest score of a piece's checks of a part.
func (e Piece) best(part string) int {
	score := 0
	for _, c := range e.Checks {
		if c.Part == part {
			score = max(score, c.Score)
		}
	}
	return score
}

// explained reports whether a piece's validity rests on its checks. Validity 4 is
// several checks of 3 together (GPG 45).
func (e Piece) explained() bool { return e.best(partValidity) >= min(e.Score.Validity, 3) }

// counts reports a piece that is worth anything: a record that was only asked, or
// evidence that did not fail. What failed lends no score to anything else.
func (e Piece) counts() bool { return e.Score == proof.Evidence{} || e.Score.Validity > 0 }

// best is the highest score of all checks of a part.
func (p Proofing) best(part string) int {
	score := 0
	for _, e := range p.Pieces {
		if e.counts() {
			score = max(score, e.best(part))
		}
	}
	return score
}

// tells reports that a text of JSON has the NHS number in it. Letters and
// references carry it with spaces, hyphens and dots.
func (p Proofing) tells(text []byte) bool {
	if p.NHSNumber == "" {
		return false
	}
	spaced := strings.Join(strings.Split(string(p.NHSNumber), ""), `[^0-9A-Za-z"]{0,2}`)
	return regexp.MustCompile(spaced).Match(text)
}

// spoken is a name as printed, or in ICAO form where only that is known.
func spoken(n proof.Name) string {
	if n.Printed != "" {
		return n.Printed
	}
	return n.ICAO
}

// day is a whole date as YYYY-MM-DD, "" where a part is not known.
func day(d proof.Date) string {
	if !d.Valid() || d.Precision() != "day" {
		return ""
	}
	return d.String()
}
