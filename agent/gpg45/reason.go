package gpg45

import (
	_ "embed" // the plain words
	"maps"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Codes of results. The parameters of a code stand behind it; scores and months
// are numbers, types, levels and profiles are codes of the policy.
const (
	codeProfileMet    proof.Code = "profile_met"    // profile, level, policy
	codeNoProfileMet  proof.Code = "no_profile_met" // policy
	codeLevelWithheld proof.Code = "level_withheld" // policy
)

// Codes of evidence and its strength.
const (
	codeNoEvidence          proof.Code = "no_evidence"
	codeTypeNotEvidence     proof.Code = "type_not_evidence"      // type
	codeTypeRefused         proof.Code = "type_refused"           // type
	codeSameTypeOnce        proof.Code = "same_type_once"         // type
	codeStrengthOfType      proof.Code = "strength_of_type"       // type, strength
	codeStrengthChipNotRead proof.Code = "strength_chip_not_read" // type, strength
	codeStrengthOther       proof.Code = "strength_other"         // strength
)

// Codes of validity.
const (
	codeValidityNotChecked     proof.Code = "validity_not_checked"
	codeValidityRead           proof.Code = "validity_read"         // score
	codeValidityInspected      proof.Code = "validity_inspected"    // score
	codeValidityExamined       proof.Code = "validity_examined"     // score, seen, months
	codeValidityUVIR           proof.Code = "validity_uvir"         // score, months
	codeValidityChip           proof.Code = "validity_chip"         // score
	codeValidityRecord         proof.Code = "validity_record"       // score
	codeValidityRecordClear    proof.Code = "validity_record_clear" // score
	codeValidityAll            proof.Code = "validity_all"
	codeNotExamined            proof.Code = "not_examined"
	codeDetailsNotCompared     proof.Code = "details_not_compared"
	codeExaminerNotTrained     proof.Code = "examiner_not_trained" // months
	codeTemplatesOld           proof.Code = "templates_old"        // months
	codeFeaturesTooFew         proof.Code = "features_too_few"     // seen, needed
	codeUVIRNotTrained         proof.Code = "uvir_not_trained"     // months
	codeUVIRTemplatesOld       proof.Code = "uvir_templates_old"   // months
	codeExpiryNotKnown         proof.Code = "expiry_not_known"
	codeCopyNotOriginal        proof.Code = "copy_not_original"
	codeRecordNotMatched       proof.Code = "record_not_matched"              // score
	codeChipNoTrustAnchor      proof.Code = "chip_unverified_no_trust_anchor" // score
	codeChipCloneNotExcluded   proof.Code = "chip_clone_not_excluded"         // score
	codeChipRevocationNotKnown proof.Code = "chip_revocation_not_known"       // score
	codeChipIntegrity          proof.Code = "chip_integrity_failed"
	codeChipSignature          proof.Code = "chip_signature_failed"
	codeChipUntrusted          proof.Code = "chip_untrusted"
	codeChipSignerRevoked      proof.Code = "chip_signer_revoked"
	codeChipCloned             proof.Code = "chip_cloned"
	codeDocFraudList           proof.Code = "doc_fraud_list"
)

// Codes of verification, activity and fraud.
const (
	codeCompared            proof.Code = "compared"          // score, months
	codeComparedRecently    proof.Code = "compared_recently" // score, months
	codeComparedRemotely    proof.Code = "compared_remotely" // score, months
	codeMachineAid          proof.Code = "face_machine_aid"  // decision
	codeNoPhoto             proof.Code = "no_photo"
	codePhotoNotGenuine     proof.Code = "photo_not_genuine"
	codeActivityNotChecked  proof.Code = "activity_not_checked"
	codeFraudNotChecked     proof.Code = "fraud_not_checked"
	codeActivityFromSources proof.Code = "activity_from_sources" // score
	codeFraudFromSources    proof.Code = "fraud_from_sources"    // score
	codeFraudHit            proof.Code = "fraud_hit"
)

// Codes of a vouch. Why one counts for nothing its facts tell, beside these.
const (
	codeVouchPaper         proof.Code = "vouch_paper"     // strength, score
	codeVouchDigital       proof.Code = "vouch_digital"   // strength, score
	codeVouchHigh          proof.Code = "vouch_high"      // strength, score
	codeVouchConfirmed     proof.Code = "vouch_confirmed" // score
	codeVouchNotConfirmed  proof.Code = "vouch_not_confirmed"
	codeVoucherNotProved   proof.Code = "voucher_not_proved"
	codeVouchActivity      proof.Code = "vouch_activity"    // score
	codeVouchKnownTooShort proof.Code = "vouch_known_short" // years
	codeVouchTooOld        proof.Code = "vouch_too_old"     // days
	codeVouchDateWrong     proof.Code = "vouch_date_wrong"
	codeVouchNoDocument    proof.Code = "vouch_no_document"
)

// english is the closed list of codes, each with its plain words.
//
//go:embed words/en.txt
var english string

// sentences reads the list.
func sentences() map[proof.Code]string {
	said := map[proof.Code]string{}
	for line := range strings.Lines(english) {
		if code, sentence, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(code, "#") {
			said[proof.Code(code)] = sentence
		}
	}
	return said
}

// Codes lists every code that an assessment may give, sorted.
func Codes() []proof.Code { return slices.Sorted(maps.Keys(sentences())) }

// Explain says a reason of an assessment, or of an NHS level, in plain English.
// A code that it does not know comes back as it is.
func Explain(r proof.Reason) string {
	said := sentences()
	sentence, known := said[r.Code]
	if !known {
		return nhs.Explain(r)
	}
	for name, value := range r.Params {
		sentence = strings.ReplaceAll(sentence, "{"+name+"}", value)
	}
	return sentence
}
