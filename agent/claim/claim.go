// Package claim holds the rules of the claim token: the secret that a patient
// without e-mail address or mobile number takes home, and brings back to claim
// the account that a visit has earned.
//
// It draws no randomness, keeps nothing and decides on no account: whether a
// token is known and unused the opener knows.
//
// # The laws
//
//   - A token is 80 random bits; nothing in it tells whose it is.
//   - A wrong character, or two neighbours that changed places, is noticed where
//     it is typed, before anybody is asked.
//   - Whoever keeps a list of tokens keeps digests: a stolen list redeems nothing.
package claim

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Token is a token as it is printed: four groups of letters and digits with
// hyphens between, the last two of them check the others.
type Token string

// Days is how long a token is good for: long enough to get a telephone, short
// enough that a lost slip is worth little. The value is the project's own.
const Days = 90

// letters is Crockford's base 32: no I, L, O or U, which people misread.
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Lengths of a token, in characters.
const (
	bodyLen  = 16 // 80 bits
	checkLen = 2
	groupLen = 5
)

// New prints a token of random bytes.
func New(random [10]byte) Token {
	var body strings.Builder
	bits, n := uint32(0), 0
	for _, b := range random {
		bits, n = bits<<8|uint32(b), n+8
		for ; n >= 5; n -= 5 {
			body.WriteByte(letters[bits>>(n-5)&31])
		}
	}
	return printed(body.String() + check(body.String()))
}

// printed puts a token into groups.
func printed(text string) Token {
	var groups []string
	for ; len(text) > groupLen; text = text[groupLen:] {
		groups = append(groups, text[:groupLen])
	}
	return Token(strings.Join(append(groups, text), "-"))
}

// Parse reads a token as a person types it: case, spaces and hyphens do not
// matter, I and L count as 1, O as 0. What is no token is a proof.Error of
// KindTokenWrong that does not tell what was typed.
func Parse(typed string) (Token, error) {
	var text []byte
	for _, c := range []byte(typed) {
		switch {
		case strings.IndexByte(" -\t\r\n", c) >= 0:
			continue
		case 'a' <= c && c <= 'z': // ASCII alone: no other letter becomes one of these
			c -= 'a' - 'A'
		}
		switch c {
		case 'I', 'L':
			c = '1'
		case 'O':
			c = '0'
		}
		if strings.IndexByte(letters, c) < 0 || len(text) == bodyLen+checkLen {
			return "", wrong()
		}
		text = append(text, c)
	}
	if len(text) != bodyLen+checkLen || check(string(text[:bodyLen])) != string(text[bodyLen:]) {
		return "", wrong()
	}
	return printed(string(text)), nil
}

// wrong says that a token was not typed as it is printed.
func wrong() error {
	return &proof.Error{Op: "reading a claim token", Kind: proof.KindTokenWrong}
}

// checkPrime is the largest prime below 32², so that every weight below it and
// every difference of two characters has an inverse: no single wrong character
// and no swap of neighbours gives the same sum.
const checkPrime = 1021

// check is the two characters that follow a body: its weighted sum by a prime.
func check(body string) string {
	sum, weight := 0, 1
	for _, c := range []byte(body) {
		weight = weight * 32 % checkPrime
		sum = (sum + weight*strings.IndexByte(letters, c)) % checkPrime
	}
	return string([]byte{letters[sum>>5], letters[sum&31]})
}

// Digest names a token in a list that holds no tokens: a SHA-256 in hexadecimal.
// t is as New or Parse gave it. No key goes in: nobody can try all of 80 bits.
func (t Token) Digest() string {
	sum := sha256.Sum256([]byte("counterproof claim token v1\n" + string(t)))
	return hex.EncodeToString(sum[:])
}

// Until is the last day on which a token of a day is good.
func Until(made proof.Date) proof.Date { return made.AddDays(Days) }
