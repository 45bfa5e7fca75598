package proof_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// chipRead is everything that a chip may tell.
var chipRead = proof.ChipRead{
	Verdict: proof.ChipGenuine, Reason: "signer_revoked", Revocation: proof.RevocationGood, Clone: proof.CloneExcluded, Access: "PACE-GM",
	Downgraded: true, Lines: []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<"}, Portrait: "portrait-4", Files: "chip-4",
	Trust: proof.Date{Year: 2026, Month: 11, Day: 1},
}

// TestChipsOnDisk holds that what is told of a chip comes back from disk as it was.
func TestChipsOnDisk(t *testing.T) {
	t.Parallel()
	for _, fact := range []proof.Fact{chipRead, proof.ChipRead{Verdict: proof.ChipIssuerUnknown, Access: "BAC"}, proof.ChipFailed{Kind: proof.KindChipMoved}} {
		b, err := json.Marshal(proof.Event{Seq: 4, Fact: fact})
		if err != nil {
			t.Fatal(err)
		}
		var e proof.Event
		if err := json.Unmarshal(b, &e); err != nil || !reflect.DeepEqual(e.Fact, fact) {
			t.Errorf("%+v came back as %+v: %v", fact, e.Fact, err)
		}
	}
}

// TestAuditorsSeeNoLines holds that of a chip auditors learn what it came to, and
// not whose it is.
func TestAuditorsSeeNoLines(t *testing.T) {
	t.Parallel()
	emptied := chipRead.Emptied()
	b, err := json.Marshal(emptied)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "SPECIMEN") {
		t.Errorf("they see %s", b)
	}
	kept, ok := emptied.(proof.ChipRead)
	if !ok || kept.Verdict != chipRead.Verdict || kept.Clone != chipRead.Clone || kept.Files != chipRead.Files || kept.Trust != chipRead.Trust {
		t.Errorf("they do not see what it came to: %+v", emptied)
	}
	if len(chipRead.Lines) != 1 {
		t.Error("emptying took the lines away from the fact itself")
	}
	if _, personal := proof.Fact(proof.ChipFailed{}).(proof.Personal); personal {
		t.Error("a chip that was not read tells of a person")
	}
}
