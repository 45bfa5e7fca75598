// Package clerk holds the rules for the people behind the counter: what a good
// secret is, how many wrong tries there are, who may do what.
//
// It keeps nobody's secret, stores nothing and reads no clock.
//
// # The laws
//
//   - Five wrong tries lock an account for fifteen minutes; the right secret does
//     not help meanwhile. A supervisor may unlock it.
//   - A refusal never tells whether the account or the secret was wrong.
//   - Ten wrong tries without a right one between them need a supervisor.
package clerk

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
)

// Limits on signing in.
const (
	// TriesBeforeLock is how many wrong tries lock an account.
	TriesBeforeLock = 5
	// LockFor is how long it is locked.
	LockFor = 15 * time.Minute
	// TriesBeforeSupervisor is how many wrong tries only a supervisor undoes.
	TriesBeforeSupervisor = 10
	// PINLength is the least number of digits of a PIN.
	PINLength = 6
	// PassphraseLength is the least number of characters of a passphrase.
	PassphraseLength = 12
	// MaxSecret bounds a secret, in bytes.
	MaxSecret = 256
	// MaxName bounds a clerk's name, in characters.
	MaxName = 60
	// IdleEnd ends a session without requests.
	IdleEnd = 2 * time.Minute
)

// Lock is how an account stands.
type Lock struct {
	Wrong int       `json:"wrong"` // wrong tries since the last right one
	Until time.Time `json:"until,omitzero"`
}

// Check says whether an account may try now: KindNone, or KindLockedOut with
// the time until which it may not. A zero time needs a supervisor.
func (l Lock) Check(now time.Time) (proof.Kind, time.Time) {
	switch {
	case l.Wrong >= TriesBeforeSupervisor:
		return proof.KindLockedOut, time.Time{}
	case now.Before(l.Until) && l.Until.Sub(now) <= LockFor:
		return proof.KindLockedOut, l.Until // further off than that only a clock that went back can put it
	}
	return proof.KindNone, time.Time{}
}

// Failed counts a wrong try.
func (l Lock) Failed(now time.Time) Lock {
	l.Wrong++
	if l.Wrong >= TriesBeforeLock {
		l.Until = now.Add(LockFor)
	}
	return l
}

// GoodSecret says whether a secret will do: six digits or more that are neither
// all alike nor counting up or down, or a passphrase of twelve characters.
func GoodSecret(s string) bool {
	if len(s) > MaxSecret || !utf8.ValidString(s) {
		return false
	}
	if strings.Trim(s, "0123456789") == "" {
		return len(s) >= PINLength && !straight(s)
	}
	return utf8.RuneCountInString(s) >= PassphraseLength
}

// straight reports digits with one step between all of them, such as 111111,
// 123456 or 987654.
func straight(digits string) bool {
	step := int(digits[1]) - int(digits[0])
	for i := 2; i < len(digits); i++ {
		if int(digits[i])-int(digits[i-1]) != step {
			return false
		}
	}
	return step >= -1 && step <= 1
}

// GoodName says whether a name for a clerk will do.
func GoodName(s string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n >= 1 && n <= MaxName && utf8.ValidString(s) && !strings.ContainsAny(s, "\n\r\t")
}

// MayUnlock reports whether an operator may let another in again: a supervisor,
// and not themselves.
func MayUnlock(by proof.Operator, whom proof.OperatorID) bool {
	return by.Role == proof.Supervisor && by.ID != whom
}

// OperatorID makes an account's name from a person's: lower-case letters and
// digits of the first word, with a number where it is taken already.
func OperatorID(name string, taken func(proof.OperatorID) bool) proof.OperatorID {
	word, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(name)), " ")
	base := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, word)
	if base == "" {
		base = "clerk"
	}
	base = base[:min(len(base), 20)]
	id := proof.OperatorID(base)
	for n := 2; taken(id); n++ {
		id = proof.OperatorID(base + digits(n))
	}
	return id
}

// digits writes a small number.
func digits(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return digits(n/10) + digits(n%10)
}
