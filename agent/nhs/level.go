package nhs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Rules are the thresholds of the policy file; how GPG 45 maps to DAPB3051 is
// not published, so all of it stays data.
type Rules struct {
	P9Level         proof.Level `json:"p9_level"`          // GPG 45 level that P9 needs
	P9Verification  int         `json:"p9_verification"`   // score of comparing person and photo that P9 needs, 1–4
	P5Age           int         `json:"p5_age"`            // years; NHS login serves nobody younger
	P9Age           int         `json:"p9_age"`            // years; younger people get no level at a counter
	NoPracticeCodes []string    `json:"no_practice_codes"` // ODS codes that stand for no practice
}

// Validate refuses rules that could give a level for nothing.
func (r Rules) Validate() error {
	switch {
	case !r.P9Level.Above(proof.NoLevel):
		return fmt.Errorf("p9_level %.20q is not a level that can be reached", r.P9Level)
	case r.P9Verification < 1 || r.P9Verification > 4:
		return errors.New("p9_verification is not 1 to 4")
	case r.P5Age < 1 || r.P9Age < r.P5Age || r.P9Age > 120:
		return errors.New("p5_age and p9_age are not ages that grow")
	}
	return nil
}

// noPractice reports a code that stands for no practice.
func (r Rules) noPractice(code string) bool { return slices.Contains(r.NoPracticeCodes, code) }

// Record is what the search for the person's record came to (PDS).
type Record string

// The answers. NotAsked is the counter without a line; Stopped stands for every
// record that ends automatic release (deceased, restricted, withdrawn) and must
// look like no match at the counter.
const (
	NotAsked   Record = ""
	OneExact   Record = "one_exact"
	OnePartial Record = "one_partial"
	NoMatch    Record = "none"
	Many       Record = "many"
	Stopped    Record = "stopped"
)

// GPDetails is how practice-issued details (ODS code, account id, linkage key)
// stand.
type GPDetails string

// The states of practice-issued details; the zero value means none were shown.
const (
	DetailsPending  GPDetails = "pending"  // queued for the practice's system
	DetailsAccepted GPDetails = "accepted" // the practice's system knows them
)

// Facts are what a level is given for.
type Facts struct {
	Birth, Today proof.Date
	Level        proof.Level   // GPG 45
	Checks       []proof.Check // of the proofing, for the comparison with a photo
	Review       bool          // the level is withheld: people look at it first
	Record       Record
	Details      GPDetails
	Contact      bool // e-mail address and mobile number each confirmed by a code
}

// Standing is which level a proofing comes to.
type Standing struct {
	Level proof.NHSLevel
	// Provisional says that Level holds only if the record matches or the
	// practice accepts, which is not known yet.
	Provisional bool
	// Now is what holds already, whatever the record says: none or P0 while
	// Level is provisional, otherwise the same as Level.
	Now     proof.NHSLevel
	Reasons []proof.Reason
}

// Reason codes of NHS levels.
const (
	codeP9IfRecordMatches     proof.Code = "nhs_p9_if_record_matches"
	codeP5IfRecordMatches     proof.Code = "nhs_p5_if_record_matches"
	codeP9IfDetailsAccepted   proof.Code = "nhs_p9_if_details_accepted"
	codeP9Proved              proof.Code = "nhs_p9_proved"
	codeP9ByDetails           proof.Code = "nhs_p9_by_details"
	codeP5RecordMatched       proof.Code = "nhs_p5_record_matched"
	codeP0ContactConfirmed    proof.Code = "nhs_p0_contact_confirmed"
	codeNothingYet            proof.Code = "nhs_nothing_yet"
	codeBelowP9Level          proof.Code = "nhs_below_p9_level"   // params level, needed
	codeNotComparedForP9      proof.Code = "nhs_not_compared"     // params verification, needed
	codeUnderAge              proof.Code = "nhs_under_age"        // params age: the limit
	codeUnderLoginAge         proof.Code = "nhs_under_login_age"  // params age: the limit
	codeBirthNotKnown         proof.Code = "nhs_birth_not_known"  // or impossible
	codeRecordNotFound        proof.Code = "nhs_record_not_found" // also for records that stay hidden
	codeRecordNeedsOneMore    proof.Code = "nhs_record_needs_one_more_detail"
	codeReviewFirst           proof.Code = "nhs_review_first"
	codeRecordNotAskedOffline proof.Code = "nhs_record_not_asked"
)

// Codes lists every reason code of NHS levels, sorted.
func Codes() []proof.Code { return slices.Sorted(maps.Keys(sentences)) }

// Assess says which NHS level the facts come to, and why.
//
//   - P9: GPG 45 at P9Level with a person's comparison of face and photo of
//     P9Verification and one exact record; or practice-issued details accepted.
//   - P5: one exact record.
//   - P0: e-mail address and mobile number confirmed.
func (r Rules) Assess(f Facts) Standing {
	if s, done := r.byAge(f); done {
		return s
	}
	base := ground(f)
	if f.Review {
		return Standing{Level: base.Level, Now: base.Now, Reasons: []proof.Reason{{Code: codeReviewFirst}}}
	}
	if f.Details == DetailsAccepted {
		return settled(proof.P9, codeP9ByDetails)
	}
	short := r.shortOfP9(f)
	switch f.Record {
	case OneExact:
		return matched(short, f.Details, base)
	case NotAsked:
		return awaiting(short, f.Details, base)
	}
	if f.Details == DetailsPending {
		return provisional(proof.P9, base, codeP9IfDetailsAccepted)
	}
	code := codeRecordNotFound
	if f.Record == OnePartial {
		code = codeRecordNeedsOneMore
	}
	base.Reasons = append([]proof.Reason{{Code: code}}, base.Reasons...)
	return base
}

// byAge settles those who are too young or whose age is not known.
func (r Rules) byAge(f Facts) (Standing, bool) {
	if f.Birth.Year == 0 || !f.Birth.Valid() || f.Today.Before(f.Birth) {
		return settled(proof.NHSNone, codeBirthNotKnown), true
	}
	age := youngest(f.Birth, f.Today)
	if age >= r.P9Age {
		return Standing{}, false
	}
	s := settled(proof.ParentAttested, codeUnderAge)
	s.Reasons[0].Params = map[string]string{"age": strconv.Itoa(r.P9Age)}
	if age < r.P5Age {
		s.Reasons = append(s.Reasons, proof.Reason{Code: codeUnderLoginAge, Params: map[string]string{"age": strconv.Itoa(r.P5Age)}})
	}
	return s, true
}

// youngest is the age in whole years; an unknown birth month or day counts as
// the last one, so that nobody is taken for older than they may be.
func youngest(birth, today proof.Date) int {
	month, day := birth.Month, birth.Day
	if month == 0 {
		month = 12
	}
	if day == 0 {
		day = 31
	}
	age := today.Year - birth.Year
	if today.Month < month || today.Month == month && today.Day < day {
		age--
	}
	return age
}

// shortOfP9 says what the proofing itself lacks for P9, nil for nothing.
func (r Rules) shortOfP9(f Facts) []proof.Reason {
	var short []proof.Reason
	if r.P9Level.Above(f.Level) {
		short = append(short, proof.Reason{Code: codeBelowP9Level, Params: map[string]string{
			"level": string(f.Level), "needed": string(r.P9Level)}})
	}
	if best := compared(f.Checks); best < r.P9Verification {
		short = append(short, proof.Reason{Code: codeNotComparedForP9, Params: map[string]string{
			"verification": strconv.Itoa(best), "needed": strconv.Itoa(r.P9Verification)}})
	}
	return short
}

// compared is the best score of comparing the person, present, with a photo.
func compared(checks []proof.Check) int {
	best := 0
	for _, c := range checks {
		if c.Method == proof.PersonInPerson || c.Method == proof.BiometricPresent {
			best = max(best, c.Score)
		}
	}
	return best
}

// matched is the standing of somebody with one exact record.
func matched(short []proof.Reason, details GPDetails, base Standing) Standing {
	if len(short) == 0 {
		return settled(proof.P9, codeP9Proved)
	}
	if details == DetailsPending {
		s := provisional(proof.P9, base, codeP9IfDetailsAccepted)
		s.Now = proof.P5
		return s
	}
	s := settled(proof.P5, codeP5RecordMatched)
	s.Reasons = append(s.Reasons, short...)
	return s
}

// awaiting is the standing while no record could be asked for.
func awaiting(short []proof.Reason, details GPDetails, base Standing) Standing {
	switch {
	case len(short) == 0:
		return provisional(proof.P9, base, codeP9IfRecordMatches, codeRecordNotAskedOffline)
	case details == DetailsPending:
		return provisional(proof.P9, base, codeP9IfDetailsAccepted)
	}
	s := provisional(proof.P5, base, codeP5IfRecordMatches, codeRecordNotAskedOffline)
	s.Reasons = append(s.Reasons, short...)
	return s
}

// ground is what holds without any record.
func ground(f Facts) Standing {
	if f.Contact {
		return settled(proof.P0, codeP0ContactConfirmed)
	}
	return settled(proof.NHSNone, codeNothingYet)
}

// settled is a standing that nothing is awaited for.
func settled(level proof.NHSLevel, code proof.Code) Standing {
	return Standing{Level: level, Now: level, Reasons: []proof.Reason{{Code: code}}}
}

// provisional is a standing that holds if what is awaited comes.
func provisional(level proof.NHSLevel, base Standing, codes ...proof.Code) Standing {
	s := Standing{Level: level, Provisional: true, Now: base.Now}
	for _, c := range codes {
		s.Reasons = append(s.Reasons, proof.Reason{Code: c})
	}
	return s
}

// sentences says each code in plain English; {name} stands for a parameter.
var sentences = map[proof.Code]string{
	codeP9IfRecordMatches:     "NHS level P9 if the NHS record matches.",
	codeP5IfRecordMatches:     "NHS level P5 if the NHS record matches.",
	codeP9IfDetailsAccepted:   "NHS level P9 if the practice's system accepts the details.",
	codeP9Proved:              "NHS level P9: compared with a photo document, and one NHS record matches.",
	codeP9ByDetails:           "NHS level P9: the practice's system accepted the details.",
	codeP5RecordMatched:       "NHS level P5: one NHS record matches.",
	codeP0ContactConfirmed:    "NHS level P0: e-mail address and mobile number are confirmed.",
	codeNothingYet:            "No NHS level yet.",
	codeBelowP9Level:          "Not P9: the identity is proved to level {level}; {needed} is needed.",
	codeNotComparedForP9:      "Not P9: the comparison with a photo scored {verification}; {needed} is needed.",
	codeUnderAge:              "Under {age} there is no NHS level of one's own; a parent attests.",
	codeUnderLoginAge:         "NHS login serves nobody under {age}.",
	codeBirthNotKnown:         "No NHS level: the date of birth is not known.",
	codeRecordNotFound:        "The NHS record could not be matched.",
	codeRecordNeedsOneMore:    "The NHS record needs one more detail to match.",
	codeReviewFirst:           "No more than this until people have looked at the case.",
	codeRecordNotAskedOffline: "The NHS record is asked for after the record is sent.",
}

// Explain says a reason of an NHS level in plain English. A code that it does
// not know comes back as it is.
func Explain(r proof.Reason) string {
	sentence, known := sentences[r.Code]
	if !known {
		return string(r.Code)
	}
	for name, value := range r.Params {
		sentence = strings.ReplaceAll(sentence, "{"+name+"}", value)
	}
	return sentence
}
