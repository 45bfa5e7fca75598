package opener

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/counterproof/counterproof/agent/opener/vault"
	"github.com/counterproof/counterproof/agent/opener/watch"
	"github.com/counterproof/counterproof/sync/wire"
)

// settingsFile holds settings as JSON; without it the defaults hold.
const settingsFile = "settings.json"

// maxSettings bounds the settings, in bytes.
const maxSettings = 64 << 10

// settings are what an opener's operator may set. The keys are the file's form.
type settings struct {
	// Retention is for how many days each part is kept after its key was handed out
	// last (vault.DefaultRetention).
	Retention vault.Retention `json:"retention_days"`
	// Pace is how many people may be proved before somebody should look
	// (limit.DefaultPace).
	Pace watch.Pace `json:"pace"`
}

// readSettings reads the settings in a folder. A word that is not one of them is
// refused: a retention that nobody reads would destroy too early.
func readSettings(dir string) (s settings, err error) {
	path := filepath.Join(dir, settingsFile)
	text, err := readSmall(path, maxSettings)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		err = d.Decode(&s)
	}
	if err == nil {
		err = s.Retention.Check()
	}
	if err != nil {
		return settings{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, nil
}

// shredding says what the settings make of an order to destroy a month's keys.
func (o *Opener) shredding(month string, parts []wire.PartName) vault.Shredding {
	return vault.Shredding{Month: month, Parts: parts, Retention: o.settings.Retention}
}

// Shred destroys a month's private keys of some parts, or of all. What was sealed to
// them opens never again. The centre's log is told by the next Once.
func (o *Opener) Shred(month string, parts []wire.PartName) (n int, err error) {
	return o.vault.Shred(o.shredding(month, parts), time.Now())
}
