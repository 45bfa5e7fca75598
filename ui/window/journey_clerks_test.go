package window

import (
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

func TestTheClerksByKeyboardInARealWindow(t *testing.T) {
	ui := program(t, "counterproof")
	d := newDesktop(t)
	c, socket := staffed(t)
	run(t, []string{d.display}, false, ui, "--socket", socket)
	d.shows("Sign in")
	d.keys("t:sam", "Tab", "t:271828", "Return")
	d.shows("Ready for a visit")
	d.keys("shift+Tab", "shift+Tab", "shift+Tab", "space") // backwards: the language, signing out, the clerks
	d.shows("Clerks")
	d.keys("6")
	d.shows("Add a clerk")
	d.keys("t:Lou Marsh", "Tab", "space", "Tab", "Tab", "t:01/03/2026", "Return")
	d.shows("Clerks")
	d.shoot("Clerks with a code")
	d.keys("Down", "2") // kim
	d.presses("7", "Who did what")
	d.presses("Escape", "Clerks")
	d.presses("Escape", "Ready for a visit")
	c.mu.Lock()
	defer c.mu.Unlock()
	trained := proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 1}}
	if len(c.added) != 1 || c.added[0] != (api.NewClerk{Name: "Lou Marsh", Role: proof.Clerk, Training: trained}) {
		t.Errorf("added %+v", c.added)
	}
	if got := c.changes["kim"]; len(got) != 1 || got[0].Do != api.DoReset {
		t.Errorf("changes %+v", c.changes)
	}
	if len(c.asked) == 0 {
		t.Error("the record was never read")
	}
}

// presses presses a key until a screen comes: while a request is under way keys
// are not heard.
func (d *desktopOf) presses(key, title string) {
	d.t.Helper()
	for range 40 {
		d.keys(key)
		if _, err := d.xdotool(d.t.Context(), "search", "--onlyvisible", "--name", "^"+title); err == nil {
			break
		}
	}
	d.shows(title)
}
