package bureau

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// TestZone: over real connections a month's keys are handed out and open what comes,
// and what people should look at reaches the centre's office once.
func TestZone(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	if err := os.WriteFile(filepath.Join(l.data, "settings.json"), []byte(`{"pace":{"clerk_hour":1}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := l.must("keys", "make"); strings.Count(out, "in force") != 4 {
		t.Fatalf("the keys: %s", out)
	}
	l.run() // hands out the month's keys
	c := l.counter("FA123")
	for range 2 {
		c.send(visit{log: "photo-proved"})
	}
	out := l.run()
	if strings.Count(out, `"agrees":true`) != 2 || strings.Contains(out, "error_kind") {
		t.Fatalf("it shows %s", out)
	}
	if l.run(); strings.Contains(l.log.String(), "took no flags") {
		t.Errorf("the office took nothing: %s", l.log.String())
	}
	office, err := l.centre.Office()
	if err != nil {
		t.Fatal(err)
	}
	raised, err := office.Flags(t.Context(), 0, 10)
	if err != nil || len(raised) != 1 || raised[0].Flag.Kind != wire.FlagPace || len(raised[0].Flag.Records) != 2 {
		t.Errorf("the office looks at %+v, %v", raised, err)
	}
	l.nameNobody()
	list, err := os.ReadFile(filepath.Join(l.data, "watch", "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if strings.Contains(string(list), secret) {
			t.Errorf("the list of traces tells %s", secret)
		}
	}
}
