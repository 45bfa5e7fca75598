package verdict

import (
	"strings"

	"github.com/counterproof/counterproof/agent/plan"
	"github.com/counterproof/counterproof/agent/proof"
)

// sentences says each code that the route itself gives in plain English; {name}
// stands for a parameter.
var sentences = map[proof.Code]string{
	proof.DocExpired:         "The document has expired.",
	proof.DocSpecimen:        "The document is a specimen.",
	proof.DocMisread:         "The document was misread.",
	proof.ChecksFailed:       "The document's check digits do not agree.",
	proof.DateImpossible:     "A date of the document cannot be.",
	proof.FaceDifferent:      "The person and the photo seem to be two people.",
	proof.NoSuitableDocument: "No suitable document was shown.",
	proof.PatientLeft:        "The patient left.",
	proof.ConsentRefused:     "The patient did not agree to the check.",
	proof.ClerkStopped:       "The clerk ended the visit with what there was.",
	proof.UnlinkedEvidence:   "A piece of evidence tells another name or birth date and does not count.",
	proof.NameTransposed:     "On a piece of evidence surname and given names have changed places; it does not count.",
	proof.SameDocumentTwice:  "One document was shown for two people.",
	proof.FindingTakenBack:   "A finding was taken back before the result was confirmed.",
	proof.SentToTeam:         "The team looks at this visit.",
	proof.NeedsSecondPerson:  "Patient and clerk know each other: a second clerk must confirm what was seen.",
	proof.DetailsPending:     "The practice's system is asked about the codes once the record is sent.",
	proof.DetailsRefused:     "The practice's system does not know the codes.",
	proof.ClaimPending:       "The claim code is checked once the record is sent.",
	proof.ProxySubmitted:     "The request is passed on; a clinician decides.",
	proof.ProxyWithdrawn:     "The patient ends somebody's access.",
	proof.ProxyNotAlone:      "Nobody spoke with the patient alone: the team looks at the request first.",
	proof.ProxyBasisUnfit:    "The ground does not fit the patient's age, or its evidence was not shown.",
	proof.ProxyNoConsent:     "The patient did not agree.",
	proof.ProxyNeedsHigh:     "Before it is granted, the proxy must be proved to a higher level.",
	proof.ProxyReviewAt:      "Access is looked at again when the child is {age}.",
	proof.ProxySuspendsAt:    "Access stops when the child is {age}, and is looked at anew.",
	proof.ProxyNotIdentified: "One of the two was not proved: the practice has to.",
}

// Explain says a reason of an outcome in plain English, whichever room gave it.
// A code that nobody knows comes back as it is.
func Explain(r proof.Reason) string {
	if text := plan.Explain(r); text != string(r.Code) {
		return text
	}
	sentence, own := sentences[r.Code]
	if !own {
		return string(r.Code)
	}
	for name, value := range r.Params {
		sentence = strings.ReplaceAll(sentence, "{"+name+"}", value)
	}
	return sentence
}
