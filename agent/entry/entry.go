// Package entry is what a person typed, made tidy or refused: the only place
// where typed text becomes a fact of package proof. A slip of the finger is
// noticed here, before anything is recorded.
//
// It asks nobody, keeps nothing, and what was typed is in no answer but the fact:
// a refusal is a proof.Kind and nothing else.
//
// # The laws
//
//   - Every text is bounded and free of signs that show nothing or turn the
//     direction of writing; a name has Latin letters only.
//   - Words that come from a list are on that list.
//   - Nothing is guessed: what does not fit is refused with the Kind that a
//     person is shown.
//   - No more is kept than is needed: of an account its last four digits.
package entry

import (
	"cmp"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/licence"
	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// Bounds of what is typed: of lines in bytes, of years of age.
const (
	maxLines = 4 // of a machine-readable zone
	maxLine  = 120
	oldest   = 130
)

// Lines tidies the lines of a machine-readable zone that a clerk typed: spaces
// go, small letters grow, and the digits must agree.
func Lines(typed []string, today proof.Date) ([]string, proof.Kind) {
	var lines []string
	for _, l := range typed[:min(len(typed), maxLines)] {
		if l = upper(squeezed(l[:min(len(l), maxLine)])); l != "" {
			lines = append(lines, l)
		}
	}
	doc := mrz.Parse(lines, today)
	switch {
	case doc.Format == mrz.Unknown:
		return nil, proof.KindNoMRZ
	case len(doc.FailingChecks()) > 0:
		return nil, proof.KindChecksFailed
	}
	return lines, proof.KindNone
}

// Identity is who somebody says they are. Surname and birth date are needed;
// some people have no given name.
func Identity(in api.Identity, party proof.Party, today proof.Date) (proof.Fact, proof.Kind) {
	who, kind := person(in, today)
	if kind == proof.KindNone && (in.Birth.Precision() != "day" || who.Surname.Key == "") {
		kind = proof.KindDetailsMissing
	}
	f := proof.IdentityClaimed{Party: party, Person: who}
	if kind == proof.KindNone {
		f.Postcode, kind = postcode(in.Postcode)
	}
	if kind == proof.KindNone && strings.TrimSpace(in.NHSNumber) != "" {
		n, err := nhs.NormaliseNumber(strings.TrimSpace(in.NHSNumber))
		if err != nil || n.Repeated() {
			kind = proof.KindNumberWrong
		}
		f.NHSNumber = string(n)
	}
	if kind != proof.KindNone {
		return nil, kind
	}
	return f, proof.KindNone
}

// person makes names and birth date tidy; all of them may be absent.
func person(in api.Identity, today proof.Date) (proof.Person, proof.Kind) {
	p := proof.Person{Birth: in.Birth, Sex: in.Sex}
	var kind proof.Kind
	if p.Surname, kind = name(in.Surname); kind != proof.KindNone {
		return p, kind
	}
	if p.Given, kind = name(in.Given); kind != proof.KindNone {
		return p, kind
	}
	switch {
	case !slices.Contains([]string{"", "M", "F", "X"}, p.Sex):
		return p, proof.KindBadRequest
	case p.Birth == (proof.Date{}):
		return p, proof.KindNone
	case !p.Birth.Valid(), today.Before(p.Birth), today.Year-p.Birth.Year > oldest:
		return p, proof.KindDateWrong
	}
	return p, proof.KindNone
}

// Kinds of evidence that the policy file names and that are typed in their own
// way. An account's number is a secret of its holder's; what is numbered counts
// as what it is by its number (GPG 45: a PASS card with a unique reference); what
// is undated prints no birth date, and the patient's word for it is no evidence.
var (
	accounts = []proof.EvidenceType{"bank_account", "student_loan", "credit_account", "mortgage", "loan", "utility_account"}
	numbered = []proof.EvidenceType{proof.UKLicence, "eu_dl", "pass_ref"}
	undated  = []proof.EvidenceType{"bus_pass", "freedom_pass", proof.OtherDocument}
)

// Fields are the printed fields of a piece of evidence. A number that the other
// fields contradict is refused, unless the clerk has looked again and is sure.
func Fields(in api.Fields, chosen proof.EvidenceChosen, scan *proof.EvidenceScanned, today proof.Date) (proof.Fact, proof.Kind) {
	who, kind := person(in.Identity, today)
	if kind != proof.KindNone {
		return nil, kind
	}
	f := proof.EvidenceEntered{Source: proof.FromKeys, Person: who, Issued: in.Issued, Expires: lastDay(in.Expires)}
	dated := chosen.Photo && !slices.Contains(undated, chosen.Type)
	if who.Surname.Key == "" || dated && who.Birth.Precision() != "day" {
		return nil, proof.KindDetailsMissing
	}
	if f.Former, kind = name(in.Former); kind != proof.KindNone {
		return nil, kind
	}
	if f.Number, kind = number(in.Number, chosen.Type); kind != proof.KindNone {
		return nil, kind
	}
	var shows bool
	if f.Issuer, shows = issuer(in.Issuer, chosen.Type); !shows {
		return nil, proof.KindOddLetters
	}
	if f.Postcode, kind = postcode(in.Postcode); kind != proof.KindNone {
		return nil, kind
	}
	if kind := term(f, today); kind != proof.KindNone {
		return nil, kind
	}
	if chosen.Type == proof.UKLicence && !in.Sure && !licence.CheckNumber(f.Number, who).Match {
		return nil, proof.KindNumberWrong
	}
	if scan != nil {
		f.Page, f.Portrait = scan.Page, scan.Portrait
	}
	return f, proof.KindNone
}

// issuer is who issued a piece: of a licence the state's code, however its sign is
// written, so that one licence is one document.
func issuer(typed string, t proof.EvidenceType) (string, bool) {
	said, shows := text(typed)
	if t == proof.UKLicence || t == "eu_dl" {
		said = licence.Issuer(said)
	}
	return said, shows
}

// lastDay is the day until which something is good. A card that prints its month
// alone is good to the end of it, one that prints a year to its end.
func lastDay(printed proof.Date) proof.Date {
	if !printed.Valid() || printed.Precision() == "day" {
		return printed
	}
	month := cmp.Or(printed.Month, 12)
	return proof.Date{Year: printed.Year, Month: month + 1, Day: 1}.AddDays(-1)
}

// term checks the dates of a document against each other. That it has expired is
// for the route to say.
func term(f proof.EvidenceEntered, today proof.Date) proof.Kind {
	for _, d := range []proof.Date{f.Issued, f.Expires} {
		if d != (proof.Date{}) && !d.Valid() {
			return proof.KindDateWrong
		}
	}
	issued := f.Issued.Year != 0
	switch {
	case issued && today.Before(f.Issued), issued && f.Person.Birth.Year != 0 && f.Issued.Before(f.Person.Birth):
		return proof.KindDateWrong
	case issued && f.Expires.Year != 0 && !f.Issued.Before(f.Expires):
		return proof.KindDateWrong
	}
	return proof.KindNone
}

// Prefill is what a scan tells of the fields that are asked: the bar code of a
// licence (AAMVA DL/ID Card Design Standard), or without a symbol its lines of
// print (Directive 2006/126/EC, annex I). False where it tells of no licence. The
// clerk confirms what is filled in, and Fields judges it as if it were typed.
func Prefill(scan proof.EvidenceScanned, today proof.Date) (api.Fields, bool) {
	var l licence.Licence
	if scan.Symbology == "" {
		l, _ = licence.FromLines(strings.Split(scan.Text, "\n"), today)
	} else if card, err := licence.ParseAAMVA(scan.Text); err == nil {
		l = card.Licence()
	}
	f := api.Fields{Number: shown(l.Number), Issuer: shown(l.Issuer), Issued: l.Issued, Expires: l.Expires}
	f.Surname, f.Given, f.Birth, f.Sex = shown(l.Surname.Printed), shown(l.Given.Printed), l.Birth, l.Sex
	return f, f.Surname != "" || f.Number != ""
}

// shown is a text of a document for a form, "" where it would not show as it is.
func shown(read string) string {
	tidy, ok := text(read)
	if !ok {
		return ""
	}
	return tidy
}

// Form is how the details of a kind of evidence come in.
func Form(t proof.EvidenceType) proof.Form {
	switch t {
	case proof.Passport, proof.EEAIdentityCard, "ho_travel", "us_passport_card":
		return proof.ByZone
	case proof.Vouch:
		return proof.ByVouch
	}
	return proof.ByField
}

// Continues reads the reference of an earlier visit; nothing typed is none.
func Continues(typed string) (proof.Ref, proof.Kind) {
	if typed = strings.TrimSpace(typed); typed == "" {
		return "", proof.KindNone
	}
	ref, err := wire.ParseRef(typed)
	if err != nil || len(typed) > maxText {
		return "", proof.KindRefWrong
	}
	return proof.Ref(ref), proof.KindNone
}
