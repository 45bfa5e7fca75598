package plan

import (
	"bytes"
	_ "embed" // the settings
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
)

// embedded is the settings that come with the program.
//
//go:embed plan.json
var embedded string

// maxMinutes bounds what one step may be said to take.
const maxMinutes = 600

// settings are what planning takes for granted and no rule book tells.
type settings struct {
	About   string             `json:"about"`
	Minutes map[proof.Code]int `json:"minutes"`
	// What a check of the centre is taken to bring as long as it is not known:
	// both sets of fraud checks, and three months of a known life.
	HopedFraud    int `json:"hoped_fraud"`
	HopedActivity int `json:"hoped_activity"`
	// Records are the kinds of evidence that an authoritative source can answer
	// for, VoucherBrings what a voucher is taken to have, and Bring what people
	// are asked to bring, the likeliest first.
	Records       []proof.EvidenceType `json:"records"`
	VoucherBrings []proof.EvidenceType `json:"voucher_brings"`
	Bring         []proof.EvidenceType `json:"bring"`
}

// parse reads and checks settings.
func parse(text string) (settings, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	var s settings
	if err := dec.Decode(&s); err != nil {
		return s, fmt.Errorf("reading the settings of planning: %w", err)
	}
	if len(s.Minutes) != len(stepCodes()) {
		return s, errors.New("the settings of planning do not tell the minutes of every step")
	}
	for _, code := range stepCodes() {
		if n, told := s.Minutes[code]; !told || n < 1 || n > maxMinutes {
			return s, fmt.Errorf("the settings of planning give %d minutes to %s", n, code)
		}
	}
	for hard, easy := range harder {
		for _, e := range easy {
			if s.Minutes[hard] < s.Minutes[e] {
				return s, fmt.Errorf("the settings of planning give less to %s than to %s", hard, e)
			}
		}
	}
	if s.HopedFraud < 0 || s.HopedFraud > 3 || s.HopedActivity < 0 || s.HopedActivity > 4 {
		return s, errors.New("the settings of planning hope for a score that there is not")
	}
	return s, nil
}

// record reports whether an authoritative source can answer for a kind.
func (s settings) record(t proof.EvidenceType) bool { return slices.Contains(s.Records, t) }
