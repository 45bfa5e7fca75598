package window

import (
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

func TestALicenceByKeyboardInARealWindow(t *testing.T) {
	ui := program(t, "counterproof")
	d := newDesktop(t)
	c, socket := newCounter(t)
	c.asks = [][]proof.Ask{one(proof.AskProofingConsent), one(proof.EnterEvidence), one(proof.ChooseEvidence), one(proof.EndVisit)}
	run(t, []string{d.display}, false, ui, "--socket", socket)
	d.shows("Sign in")
	d.keys("t:sam", "Tab", "t:271828", "Return")
	d.shows("Ready for a visit")
	d.keys("2")
	d.shows("May we check who you are")
	d.keys("1")
	d.shows("Type the details: UK photocard driving licence")
	d.keys("t:Morgan", "Tab", "t:Sarah Meredyth", "Tab", "t:11/03/1976", "F9", "Tab", "Down", "Down", "Up") // not told, F, M, F
	d.shoot("licence after F9")
	d.keys("Tab", "Tab", "Tab", "t:01/05/2019", "Tab", "t:30/04/2029", "Tab", "t:DVLA", "Tab", "t:morga753116sm9ij", "Return")
	d.shows("What have you got")
	d.keys("Tab", "space", "1") // at home: the first kind
	d.shoot("ways")
	for range 40 { // until the way is there, and the slip has no second button
		d.keys("2")
		if _, err := d.xdotool(t.Context(), "search", "--onlyvisible", "--name", "^Give the patient the slip"); err == nil {
			break
		}
	}
	d.shows("Give the patient the slip")
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answers) != 5 {
		t.Fatalf("answers %+v", c.answers)
	}
	want := api.Identity{Surname: "Morgan", Given: "Sarah Meredyth", Birth: proof.Date{Year: 1976, Month: 3, Day: 11}, Sex: "F"}
	if f := c.answers[2].Fields; f == nil || f.Identity != want || f.Number != "MORGA753116SM9IJ" || f.Issuer != "DVLA" || f.Expires.Year != 2029 {
		t.Errorf("typed %+v", f)
	}
	if c.answers[1].Do != api.DoConcern || c.answers[3].Do != api.DoTable || len(c.answers[3].Table.Home) != 1 || c.answers[4].Type != proof.UKLicence {
		t.Errorf("answers %+v", c.answers)
	}
}
