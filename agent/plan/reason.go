package plan

import (
	_ "embed" // the plain words
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// Codes of steps. Each has the parameters type, minutes and, where one of them
// does it, colleague: their number in the desk's list, from 1.
const (
	stepBring            proof.Code = "step_bring"
	stepBringVoucher     proof.Code = "step_bring_voucher"
	stepShow             proof.Code = "step_show"
	stepKey              proof.Code = "step_key"
	stepDetails          proof.Code = "step_details"
	stepExamine          proof.Code = "step_examine"
	stepExamineColleague proof.Code = "step_examine_colleague"
	stepUVIR             proof.Code = "step_uv_ir"
	stepUVIRColleague    proof.Code = "step_uv_ir_colleague"
	stepChip             proof.Code = "step_chip"
	stepCompare          proof.Code = "step_compare"
	stepCompareColleague proof.Code = "step_compare_colleague"
	stepStatement        proof.Code = "step_statement"
	stepConfirm          proof.Code = "step_confirm"
	stepLetter           proof.Code = "step_letter"
	stepPracticeDetails  proof.Code = "step_details_of_practice"
	stepRecord           proof.Code = "step_record"
	stepFraud            proof.Code = "step_fraud"
	stepActivity         proof.Code = "step_activity"
	stepPractice         proof.Code = "step_practice"
)

// Codes of what is missing for the wanted level. Evidence has the parameter
// type.
const (
	lacksEvidence   proof.Code = "lacks_evidence"
	lacksVoucher    proof.Code = "lacks_voucher"
	lacksChipReader proof.Code = "lacks_chip_reader"
	lacksUVIR       proof.Code = "lacks_uv_ir"
	lacksColleague  proof.Code = "lacks_colleague"
	lacksLine       proof.Code = "lacks_line"
)

// Codes of what would raise a level. Each has the parameters level, profile and
// steps: all steps that it takes together, as these codes with commas between,
// the code itself first.
const (
	raiseShow     proof.Code = "show_document"
	raiseSecond   proof.Code = "second_document"
	raiseExamine  proof.Code = "examine_document"
	raiseChip     proof.Code = "read_chip"
	raiseUVIR     proof.Code = "uv_ir_examination"
	raiseCompare  proof.Code = "compare_person"
	raiseTraining proof.Code = "training_refresh"
	raiseRecord   proof.Code = "record_check_after_sync"
	raiseFraud    proof.Code = "fraud_check_after_sync"
	raiseActivity proof.Code = "activity_after_sync"
)

// stepCodes lists the steps, in the order in which they are taken.
func stepCodes() []proof.Code {
	return []proof.Code{
		stepBring, stepBringVoucher, stepShow, stepKey, stepDetails, stepExamine, stepExamineColleague, stepUVIR,
		stepUVIRColleague, stepChip, stepCompare, stepCompareColleague, stepStatement, stepConfirm, stepLetter,
		stepPracticeDetails, stepRecord, stepFraud, stepActivity, stepPractice,
	}
}

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

// Codes lists every code that a plan may give, sorted.
func Codes() []proof.Code { return slices.Sorted(maps.Keys(sentences())) }

// Explain says a reason of a plan, an assessment or an NHS level in plain
// English. A code that it does not know comes back as it is.
func Explain(r proof.Reason) string {
	said := sentences()
	sentence, known := said[r.Code]
	if !known {
		return gpg45.Explain(r)
	}
	if steps := r.Params["steps"]; steps != "" {
		var all []string
		for step := range strings.SplitSeq(steps, ",") {
			all = append(all, said[proof.Code(step)])
		}
		sentence = "To reach level {level} ({profile}): " + strings.Join(all, "; and ") + "."
	}
	for name, value := range r.Params {
		sentence = strings.ReplaceAll(sentence, "{"+name+"}", value)
	}
	return sentence
}

// Reason is the step as a sentence's worth of data.
func (s Step) Reason() proof.Reason {
	params := map[string]string{"minutes": strconv.Itoa(s.Minutes)}
	if s.Type != "" {
		params["type"] = string(s.Type)
	}
	if s.Colleague > 0 {
		params["colleague"] = strconv.Itoa(s.Colleague)
	}
	return proof.Reason{Code: s.Code, Params: params}
}
