package clerk

import (
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Times of sessions and codes.
const (
	// Shift is how long a session lasts at most, whatever is done in it.
	Shift = 12 * time.Hour
	// CodeLife is how long a one-time code for a new secret is good.
	CodeLife = 24 * time.Hour
	// CodeBytes is how many random bytes make a one-time code: 80 bits.
	CodeBytes = 10
)

// MayManage says whether one operator may change another's account: KindNone,
// or why not. Only supervisors may, and nobody the own account: neither role nor
// training is of one's own making, and whoever acts stays, so that one supervisor
// is always left.
func MayManage(by proof.Operator, whom proof.OperatorID) proof.Kind {
	switch {
	case by.Role != proof.Supervisor:
		return proof.KindNotAllowed
	case by.ID == whom:
		return proof.KindOwnAccount
	}
	return proof.KindNone
}

// GoodRole says whether a role is one that an account can have.
func GoodRole(r proof.Role) bool { return r == proof.Clerk || r == proof.Supervisor }

// GoodTraining says whether the days of training can be: each a day on the
// calendar, and none after today, since a training to come would lift a cap. No
// day at all is good: never trained. Today is where the clocks are one hour ahead
// in summer.
func GoodTraining(t proof.Training, now time.Time) bool {
	for _, d := range []proof.Date{t.Impostor, t.Document, t.UVIR} {
		if d == (proof.Date{}) {
			continue
		}
		day := time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
		if d.Year < 1900 || day.Year() != d.Year || int(day.Month()) != d.Month || day.Day() != d.Day {
			return false
		}
		if day.After(now.UTC().Add(time.Hour)) {
			return false
		}
	}
	return true
}

// alphabet of a one-time code: letters and digits that are not taken for each
// other when somebody reads them out.
const alphabet = "abcdefghjkmnpqrstuvwxyz023456789"

// WriteCode writes random bytes as a one-time code in groups of four, such as
// k7m2-q4xa-9dtp-w3hz.
func WriteCode(random [CodeBytes]byte) string {
	var b strings.Builder
	acc, bits, n := 0, 0, 0
	for _, c := range random {
		acc, bits = acc<<8|int(c), bits+8
		for bits >= 5 {
			if n > 0 && n%4 == 0 {
				b.WriteByte('-')
			}
			bits -= 5
			b.WriteByte(alphabet[acc>>bits&31])
			acc &= 1<<bits - 1
			n++
		}
	}
	return b.String()
}

// ReadCode is a one-time code as it was typed, without what a person adds:
// capitals, blanks, hyphens. Letters that no code has are left as they are.
func ReadCode(typed string) string {
	if len(typed) > MaxSecret {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '\t', '\n', '\r', '–':
			return -1
		}
		return r
	}, strings.ToLower(typed))
}
