package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// story is one visit that the demonstration shows: by which route it goes, and
// what clerk, patient and others say on the way where that is not the same in
// every visit.
type story struct {
	route   proof.RouteName
	told    string // what it shows, for help and for the first line
	expert  bool   // the clerk is trained to examine documents under ultraviolet light
	fresh   bool   // the clerk was trained lately to compare faces
	chip    string // the document has a chip, and the counter a reader: "genuine", or what is wrong with it
	page    holder // whose passport lies before the camera; Tal Vaughn's if empty
	answers map[proof.AskKind]func(w *world, v api.Visit) api.Answer
	then    func(ctx context.Context, w *world, first api.Visit) error // what follows the visit, if anything does
}

// The invented people of the demonstration.
var (
	patient = api.Identity{Surname: "Specimen", Given: "Wren", Birth: proof.Date{Year: 1985, Month: 3, Day: 12}, Sex: "F", Postcode: "LS1 4AP"}
	child   = api.Identity{Surname: "Specimen", Given: "Kit", Birth: proof.Date{Year: 2014, Month: 5, Day: 9}}
)

// holder is to whom a specimen passport is made out.
type holder struct {
	surname, given, sex, number string
	birth                       proof.Date
}

// identity is who a holder is, as a clerk keys it.
func (h holder) identity() api.Identity {
	return api.Identity{Surname: h.surname, Given: h.given, Birth: h.birth, Sex: h.sex}
}

// The holders of specimen passports: people whom the simulated services know, so
// that the answers from outside are those that a patient would get.
var (
	wren = holder{"Specimen", "Morgan Wren", "F", "U1234567", proof.Date{Year: 1985, Month: 3, Day: 12}}
	tal  = holder{"Vaughn", "Tal", "M", "U7654321", proof.Date{Year: 1979, Month: 6, Day: 2}}
)

// stories are the visits that may be shown, by the word of the command line.
var stories = map[string]story{
	"passport": {route: proof.PhotoDocument, told: "a patient with a specimen passport", page: wren},
	"chip":     {route: proof.PhotoDocument, told: "a patient with a specimen passport that has a chip", page: wren, fresh: true, chip: genuine},
	"forged":   {route: proof.PhotoDocument, told: "somebody with a passport whose chip is a copy", page: wren, fresh: true, chip: "clone"},
	"licence": {route: proof.DrivingLicence, told: "a patient with a driving licence", answers: map[proof.AskKind]func(*world, api.Visit) api.Answer{
		proof.ScanEvidence: enterLicence,
	}},
	"vouch": {route: proof.Vouching, told: "a patient without any document, whom a teacher knows", expert: true,
		answers: map[proof.AskKind]func(*world, api.Visit) api.Answer{
			proof.ClaimIdentity: claims(patient), proof.GiveVouch: giveVouch,
		}},
	"gp": {route: proof.PracticeDetails, told: "a patient with the codes of a GP practice's letter", answers: map[proof.AskKind]func(*world, api.Visit) api.Answer{
		proof.ClaimIdentity: claims(patient), proof.GivePractice: givePractice,
	}},
	"proxy": {route: proof.ProxyAccess, told: "a patient who wants a carer to act for her", answers: map[proof.AskKind]func(*world, api.Visit) api.Answer{
		proof.ClaimIdentity: claims(patient), proof.ChooseEvidence: chooseLicence, proof.ScanEvidence: enterLicence,
		proof.RequestProxy: requestAsCarer,
	}},
	"unplugged": {route: proof.PhotoDocument, page: wren, chip: genuine, told: "a patient with a passport, while devices are pulled out", answers: unplugging},
	"return": {route: proof.AnyEvidence, page: wren, told: "a patient who forgot the passport, and goes on at another site",
		answers: map[proof.AskKind]func(*world, api.Visit) api.Answer{
			proof.ChooseEvidence: certificateAlone, proof.EnterEvidence: enterCertificate,
		}, then: comeBack},
	"claim": {route: proof.PracticeDetails, told: "a patient without e-mail, whose claim code is brought to another site",
		answers: map[proof.AskKind]func(*world, api.Visit) api.Answer{
			proof.ClaimIdentity: claims(patient), proof.GivePractice: givePractice,
		}, then: redeem},
	"child": {route: proof.ProxyAccess, told: "a parent who is to act for a child", answers: map[proof.AskKind]func(*world, api.Visit) api.Answer{
		proof.ClaimIdentity: claims(child), proof.ChooseEvidence: childHasNone, proof.RequestProxy: requestAsParent,
	}},
}

// genuine is a chip with which nothing is wrong.
const genuine = "genuine"

// storyNames lists the words of the command line, sorted.
func storyNames() []string { return slices.Sorted(maps.Keys(stories)) }

// storyOf finds a story by its word.
func storyOf(name string) (story, error) {
	s, known := stories[name]
	if !known {
		return s, fmt.Errorf("there is no route %.20q to show; there are %s", name, strings.Join(storyNames(), ", "))
	}
	return s, nil
}

// claims has somebody say who they are.
func claims(who api.Identity) func(*world, api.Visit) api.Answer {
	return func(w *world, _ api.Visit) api.Answer {
		w.say("The clerk types who the patient is said to be.")
		return api.Answer{Ask: proof.ClaimIdentity, Identity: &who}
	}
}

// enterLicence keys the fields of a licence. Its number is made from the name,
// the birth date and the sex, as that of a real licence is.
func enterLicence(w *world, v api.Visit) api.Answer {
	w.say("The clerk keys the licence; its number agrees with name, birth date and sex.")
	return api.Answer{Ask: proof.EnterEvidence, Fields: &api.Fields{
		Identity: patient, Number: "SPECI 853125 W99AB", Issuer: "GBR", Expires: proof.Date{Year: 2035, Month: 1, Day: 4},
	}}
}

// chooseLicence lays a licence on the table.
func chooseLicence(w *world, _ api.Visit) api.Answer {
	w.say("The patient has a driving licence.")
	return api.Answer{Ask: proof.ChooseEvidence, Type: proof.UKLicence}
}

// childHasNone goes on without evidence of a child.
func childHasNone(w *world, _ api.Visit) api.Answer {
	w.say("The child has no document; the parent attests.")
	return api.Answer{Ask: proof.RequestProxy, Do: api.DoChoose}
}

// giveVouch is a teacher's declaration, after the teacher was proved here.
func giveVouch(w *world, _ api.Visit) api.Answer {
	w.say("The voucher, proved at this desk, declares to know the patient, and signs.")
	return api.Answer{Ask: proof.GiveVouch, Vouch: &api.VouchForm{VouchGiven: proof.VouchGiven{
		Occupation: "teacher", Organisation: "Afon School", Contact: "01632 960001", KnownSince: proof.Date{Year: 2015, Month: 9, Day: 1},
		Statement: "demo", Signed: true, Present: true,
	}}}
}

// givePractice keys the codes of a practice's letter; they are invented.
func givePractice(w *world, _ api.Visit) api.Answer {
	w.say("The clerk keys the three codes of the practice's letter; they are sealed and never shown again.")
	return api.Answer{Ask: proof.GivePractice, Practice: &api.Practice{ODS: "A20047", Account: "1029384756", Key: "inventedKey7"}}
}

// requestAsCarer asks for a carer, with the patient's consent.
func requestAsCarer(w *world, v api.Visit) api.Answer {
	w.say("Spoken to alone, the patient agrees that the carer may act; grounds that fit are %s.", words(v.Bases))
	return api.Answer{Ask: proof.RequestProxy, Proxy: &proof.ProxyRequested{
		Relationship: "carer_consented", Basis: "consent", Actions: []proof.Code{"appointments", "prescriptions"}, Agreed: true, Text: "demo",
		Language: "en", Alone: true,
	}}
}

// requestAsParent asks for a parent, by parental responsibility.
func requestAsParent(w *world, v api.Visit) api.Answer {
	w.say("The parent shows the child's birth certificate; grounds that fit are %s.", words(v.Bases))
	return api.Answer{Ask: proof.RequestProxy, Proxy: &proof.ProxyRequested{
		Relationship: "parent", Basis: "parental_responsibility", Seen: []proof.EvidenceType{"birth_cert"},
		Actions: []proof.Code{"appointments", "prescriptions"}, Text: "demo", Language: "en", Alone: true,
	}}
}

// words writes codes for people.
func words(codes []proof.Code) string {
	var out []string
	for _, c := range codes {
		out = append(out, strings.ReplaceAll(string(c), "_", " "))
	}
	return strings.Join(out, ", ")
}
