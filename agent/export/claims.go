package export

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Trust frameworks: the UK's own, and one that nobody trusts.
const (
	trustFramework    = "uk_diatf"
	trainingFramework = "x_training"
)

// timeForm is how times are written, in UTC.
const timeForm = "2006-01-02T15:04Z"

// envelope is the whole of an export.
type envelope struct {
	Claims verifiedClaims `json:"verified_claims"`
	// NHS stands beside verified_claims, which takes nothing more: an NHS level is
	// no level of the trust framework, and the number is not what was verified.
	NHS *nhsClaims `json:"x_nhs,omitempty"`
}

// nhsClaims is what NHS login calls these two.
type nhsClaims struct {
	Level  proof.NHSLevel `json:"nhs_proofing_level,omitempty"`
	Number string         `json:"nhs_number,omitempty"`
}

// verifiedClaims has these two members and may have no other.
type verifiedClaims struct {
	Verification verification `json:"verification"`
	Claims       personClaims `json:"claims"`
}

// personClaims are claims of OpenID Connect, as far as a level rests on them.
type personClaims struct {
	Given  string `json:"given_name,omitempty"`
	Family string `json:"family_name,omitempty"`
	Birth  string `json:"birthdate,omitempty"`
}

// verification is how the claims were verified; it may have members of our own.
type verification struct {
	Framework string           `json:"trust_framework"`
	Level     proof.Level      `json:"assurance_level"`
	Assurance assuranceProcess `json:"assurance_process"`
	Time      string           `json:"time"`
	Process   string           `json:"verification_process"`
	Evidence  []evidence       `json:"evidence"`
	// Policy is the version of the rules; the format has no field of its own.
	Policy string `json:"x_policy_version,omitempty"`
}

// assuranceProcess is the rule book, the profile in lower case and its scores.
type assuranceProcess struct {
	Policy    string             `json:"policy"`
	Procedure string             `json:"procedure"`
	Details   []assuranceDetails `json:"assurance_details"`
}

// assuranceDetails is one score. The words evidence_validation, counter_fraud and
// verification are of the specification's examples, activity_history is ours.
type assuranceDetails struct {
	Type           string        `json:"assurance_type"`
	Classification string        `json:"assurance_classification"`
	Refs           []evidenceRef `json:"evidence_ref"`
}

// evidenceRef names a check. Older readers join on txn, newer ones on check_id.
type evidenceRef struct {
	CheckID  string            `json:"check_id"`
	Txn      string            `json:"txn"`
	Metadata *evidenceMetadata `json:"evidence_metadata,omitempty"`
}

// evidenceMetadata is the strength of the evidence, or what a register was asked.
type evidenceMetadata struct {
	Classification string `json:"evidence_classification"`
}

// evidence is one piece: of document, record and attestation it has the one that
// its type calls for. No member has another type here than it has in any other
// kind of evidence, since the schema's drafts hold every piece to all of them.
type evidence struct {
	Type        string           `json:"type"`
	Checks      []checkDetails   `json:"check_details"`
	Time        string           `json:"time,omitempty"`
	Document    *documentDetails `json:"document_details,omitempty"`
	Record      *recordDetails   `json:"record,omitempty"`
	Attestation *attestation     `json:"attestation,omitempty"`
}

// checkDetails is one check that was made and counted.
type checkDetails struct {
	Method       proof.CheckMethod `json:"check_method"`
	Organisation string            `json:"organization,omitempty"`
	ID           string            `json:"check_id"`
	Txn          string            `json:"txn"`
	Time         string            `json:"time,omitempty"`
}

// documentDetails is what a document says of itself, dates as YYYY-MM-DD.
type documentDetails struct {
	Type     string  `json:"type"`
	Number   string  `json:"document_number,omitempty"`
	Personal string  `json:"personal_number,omitempty"`
	Serial   string  `json:"serial_number,omitempty"`
	Issued   string  `json:"date_of_issuance,omitempty"`
	Expires  string  `json:"date_of_expiry,omitempty"`
	Issuer   *issuer `json:"issuer,omitempty"`
}

// issuer is who issued a document or holds a record; see Issuer.
type issuer struct {
	Name         string `json:"name,omitempty"`
	Country      string `json:"country,omitempty"`
	Code         string `json:"country_code,omitempty"`
	Jurisdiction string `json:"jurisdiction,omitempty"`
}

// recordDetails is an electronic record. Its created_at is a date: the schema's
// drafts take nothing else there, and its readers of times take dates too.
type recordDetails struct {
	Type    string  `json:"type"`
	Created string  `json:"created_at,omitempty"`
	Expires string  `json:"date_of_expiry,omitempty"`
	Source  *issuer `json:"source,omitempty"`
}

// attestation is a vouch: written_attestation or digital_attestation.
type attestation struct {
	Type      string  `json:"type"`
	Reference string  `json:"reference_number,omitempty"`
	Issued    string  `json:"date_of_issuance,omitempty"`
	Expires   string  `json:"date_of_expiry,omitempty"`
	Voucher   voucher `json:"voucher"`
}

// voucher is who vouches. They agreed to be named when they declared it.
type voucher struct {
	Name         string `json:"name,omitempty"`
	Birth        string `json:"birthdate,omitempty"`
	Occupation   string `json:"occupation,omitempty"`
	Organisation string `json:"organization,omitempty"`
}

// VerifiedClaims writes a proofing as JSON: verified_claims as of OpenID Identity
// Assurance Schema Definition 1.0 (October 2024), and beside it x_nhs with the NHS
// level where that is final and the NHS number where the person gave it. Checks
// that scored nothing are left out. The errors are ErrNotProved, ErrUnexplained,
// ErrNHSNumber, and what the input contradicts itself in.
func VerifiedClaims(p Proofing) ([]byte, error) {
	text, err := p.verifiedClaims()
	if err != nil {
		return nil, fmt.Errorf("exporting verified claims: %w", err)
	}
	return text, nil
}

// verifiedClaims checks, writes, and looks at what was written.
func (p Proofing) verifiedClaims() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := p.proved(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(envelope{
		Claims: verifiedClaims{p.verification(), p.claims()},
		NHS:    p.nhsClaims(),
	})
	if err == nil && !p.NumberGiven && p.tells(text) {
		err = ErrNHSNumber
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// initials are the first letters of the profiles of each level.
var initials = map[proof.Level]string{proof.Low: "L", proof.Medium: "M", proof.High: "H", proof.VeryHigh: "V"}

// proved refuses a proofing without a level, and one whose level does not stand
// on its own checks.
func (p Proofing) proved() error {
	o := p.Outcome
	initial, level := initials[o.Level]
	if o.Result != proof.Proved || !level {
		return ErrNotProved
	}
	if len(o.Profile) < 2 || o.Profile[:1] != initial || !strings.HasPrefix(o.Policy, "gpg45-") {
		return fmt.Errorf("%w: level, profile and policy do not belong together", ErrNotProved)
	}
	s := o.Scores
	if p.best(partVerification) < s.Verification || p.best(partActivity) < s.Activity || p.best(partFraud) < s.Fraud {
		return ErrUnexplained
	}
	shown := slices.Clone(p.Pieces)
	for _, e := range s.Evidence {
		if e.Validity == 0 {
			continue
		}
		i := slices.IndexFunc(shown, func(piece Piece) bool { return piece.Score == e && piece.explained() })
		if i < 0 {
			return ErrUnexplained
		}
		shown = slices.Delete(shown, i, i+1)
	}
	return nil
}

// claims is who was proved. A birth date that a document tells only in part is
// its year, as OpenID Connect allows.
func (p Proofing) claims() personClaims {
	c := personClaims{Given: spoken(p.Person.Given), Family: spoken(p.Person.Surname), Birth: day(p.Person.Birth)}
	if b := p.Person.Birth; c.Birth == "" && b.Valid() {
		c.Birth = fmt.Sprintf("%04d", b.Year)
	}
	return c
}

// nhsClaims is what is final and given, nil for nothing.
func (p Proofing) nhsClaims() *nhsClaims {
	var n nhsClaims
	final := !p.Outcome.Training && !p.Outcome.Provisional
	if final && slices.Contains([]proof.NHSLevel{proof.P0, proof.P5, proof.P9}, p.Outcome.NHS) {
		n.Level = p.Outcome.NHS
	}
	if p.NumberGiven {
		n.Number = string(p.NHSNumber)
	}
	if n == (nhsClaims{}) {
		return nil
	}
	return &n
}

// verification tells how it was proved.
func (p Proofing) verification() verification {
	v := verification{
		Framework: trustFramework, Level: p.Outcome.Level, Time: minute(p.Decided), Process: p.Process,
		Policy: p.Outcome.Policy,
		Assurance: assuranceProcess{
			Policy: "gpg45", Procedure: strings.ToLower(p.Outcome.Profile), Details: p.assuranceDetails(),
		},
	}
	if p.Outcome.Training {
		v.Framework = trainingFramework
	}
	for i, e := range p.Pieces {
		if checks := p.checkDetails(i); e.counts() && len(checks) > 0 {
			v.Evidence = append(v.Evidence, e.evidence(checks))
		}
	}
	return v
}

// assuranceDetails joins each score with the checks that it rests on.
func (p Proofing) assuranceDetails() []assuranceDetails {
	counted := slices.Clone(p.Outcome.Scores.Evidence)
	var out []assuranceDetails
	for i, e := range p.Pieces {
		at := slices.Index(counted, e.Score)
		if at < 0 || e.Score.Validity == 0 {
			continue
		}
		counted = slices.Delete(counted, at, at+1)
		refs := p.refs(partValidity, i, i+1)
		for n := range refs {
			refs[n].Metadata = &evidenceMetadata{fmt.Sprintf("score_%d_strength", e.Score.Strength)}
		}
		out = append(out, assuranceDetails{"evidence_validation", classification(e.Score.Validity), refs})
	}
	for _, part := range []struct {
		part, name string
		score      int
	}{
		{partActivity, "activity_history", p.Outcome.Scores.Activity},
		{partFraud, "counter_fraud", p.Outcome.Scores.Fraud},
		{partVerification, "verification", p.Outcome.Scores.Verification},
	} {
		if part.score > 0 {
			refs := p.refs(part.part, 0, len(p.Pieces))
			out = append(out, assuranceDetails{part.name, classification(part.score), refs})
		}
	}
	return out
}

// classification is a score in the words of the format.
func classification(score int) string { return fmt.Sprintf("score_%d", score) }

// refs names the checks of a part that scored, of the pieces from one to before
// another.
func (p Proofing) refs(part string, from, to int) []evidenceRef {
	var out []evidenceRef
	for i := from; i < to; i++ {
		for n, c := range p.Pieces[i].Checks {
			if c.Part != part || c.Score == 0 || !p.Pieces[i].counts() {
				continue
			}
			id, txn := p.ids(i, n)
			ref := evidenceRef{CheckID: id, Txn: txn}
			if part == partFraud && c.Code != "" {
				ref.Metadata = &evidenceMetadata{c.Code}
			}
			out = append(out, ref)
		}
	}
	return out
}

// ids are the names of check n of piece i: our own, and that at whoever made it.
func (p Proofing) ids(i, n int) (id, txn string) {
	id = fmt.Sprintf("%s-%d-%d", p.Process, i+1, n+1)
	if txn = p.Pieces[i].Checks[n].Txn; txn == "" {
		txn = id
	}
	return id, txn
}

// checkDetails lists the checks of a piece that scored.
func (p Proofing) checkDetails(i int) []checkDetails {
	var out []checkDetails
	for n, c := range p.Pieces[i].Checks {
		if c.Score == 0 {
			continue
		}
		id, txn := p.ids(i, n)
		d := checkDetails{Method: p.Pieces[i].method(c), Organisation: c.Organisation, ID: id, Txn: txn, Time: minute(c.At)}
		if d.Organisation == "" {
			d.Organisation = p.Organisation
		}
		out = append(out, d)
	}
	return out
}

// evidence writes a piece with its checks.
func (e Piece) evidence(checks []checkDetails) evidence {
	out := evidence{Checks: checks}
	for _, c := range checks {
		if c.Time != "" && (out.Time == "" || c.Time < out.Time) {
			out.Time = c.Time
		}
	}
	switch {
	case e.Document != nil:
		d := e.Document
		out.Type, out.Document = "document", &documentDetails{
			Type: documentType(e.Score.Type), Number: d.Number, Personal: d.Personal, Serial: d.Serial,
			Issued: day(d.Issued), Expires: day(d.Expires), Issuer: d.Issuer.written(),
		}
	case e.Record != nil:
		r := e.Record
		out.Type, out.Record = "electronic_record", &recordDetails{
			Type: r.Type, Created: day(r.Created), Expires: day(r.Expires), Source: r.Source.written(),
		}
	case e.Vouch != nil:
		out.Type, out.Attestation = "vouch", e.Vouch.attestation()
	}
	return out
}

// attestation writes a vouch.
func (v Vouch) attestation() *attestation {
	a := &attestation{
		Type: "digital_attestation", Reference: v.Reference, Issued: day(v.Given), Expires: day(v.Expires),
		Voucher: voucher{Name: v.Name, Birth: day(v.Birth), Occupation: v.Occupation, Organisation: v.Organisation},
	}
	if v.Paper {
		a.Type = "written_attestation"
	}
	return a
}

// written is an issuer, nil where nothing is known of it.
func (i Issuer) written() *issuer {
	if i == (Issuer{}) {
		return nil
	}
	w := issuer(i)
	return &w
}

// documentTypes are the format's words for kinds of documents, by the codes of
// the policy file. Others go under their code.
var documentTypes = map[proof.EvidenceType]string{
	"passport": "passport", "passport_chip": "passport",
	"eea_id": "idcard", "eea_id_chip": "idcard",
	"uk_dl": "driving_permit", "eu_dl": "driving_permit",
	"brp": "residence_permit", "brp_chip": "residence_permit",
	"birth_cert": "birth_certificate", "adoption_cert": "adoption_certificate", "marriage_cert": "marriage_certificate",
	"bank_account": "bank_statement", "utility_account": "utility_statement",
}

// documentType is the format's word for a kind of document.
func documentType(t proof.EvidenceType) string {
	if word, known := documentTypes[t]; known {
		return word
	}
	return string(t)
}

// minute is a time to the minute, cut off, "" for none.
func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeForm)
}
