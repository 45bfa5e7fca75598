// Package access proves that a terminal may read a chip and that the chip is no
// copy: Basic Access Control, Password Authenticated Connection Establishment,
// Chip Authentication and Active Authentication. It reckons both sides; what is
// sent stands in packages chip and mint.
//
// It sends nothing and draws no random number: a source of them comes in.
//
// # The laws
//
//   - Nothing that a chip says about itself makes a key, a curve or a group that
//     was not checked.
//   - Domain parameters that only an unsigned file names are used only where they
//     are known ones (§9.2.2).
//   - A proof that cannot be checked is no proof.
//
// The numbers of sections are those of ICAO Doc 9303-11 (8th edition) unless
// another text is named.
package access

import "errors"

// Reasons for refusing.
var (
	// ErrKey says that the chip did not take the access key: another booklet, or
	// a misread zone.
	ErrKey = errors.New("the chip does not take the key of this document")
	// ErrUnknown says that a chip wants what this room does not know.
	ErrUnknown = errors.New("the chip uses what is not known here")
)

// Password is what is printed on a document and opens its chip. One of the two
// is enough; where both are there, the zone's is used.
type Password struct {
	MRZInformation string // number, birth and expiry with their check digits
	CAN            string // the card access number, six digits
}

// secret is what a password gives to the derivation of its key (§9.7.3).
func (p Password) secret() []byte {
	if p.MRZInformation != "" {
		return hashed(p.MRZInformation)
	}
	return []byte(p.CAN)
}

// Passwords by their number in a command (§4.4.4.1).
const (
	byMRZ = 1
	byCAN = 2
)

// Reference is the password's number in a command.
func (p Password) Reference() byte {
	if p.MRZInformation != "" {
		return byMRZ
	}
	return byCAN
}
