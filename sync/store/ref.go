package store

import (
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/counterproof/counterproof/sync/wire"
)

// refAlphabet reads the letters of a slip's reference, Crockford's base 32.
var refAlphabet = base32.NewEncoding(strings.ToUpper(codeLetters)).WithPadding(base32.NoPadding)

// RefRange is the range of record ids, both ends in it, that one slip's
// reference stands for: it is made of the first 50 bits of an id.
func RefRange(ref wire.Ref) (low, high wire.RecordID, err error) {
	ref, err = wire.ParseRef(string(ref))
	if err != nil {
		return low, high, err
	}
	const digits, bits = 10, 50
	// 80 bits are whole bytes: the digits behind the reference's are zeros.
	text := strings.ReplaceAll(string(ref), "-", "")[:digits] + "000000"
	first, err := refAlphabet.DecodeString(text)
	if err != nil {
		return low, high, fmt.Errorf("reading the reference: %w", err)
	}
	copy(low[:], first)
	high = low
	high[bits/8] |= 0xff >> (bits % 8)
	for i := bits/8 + 1; i < len(high); i++ {
		high[i] = 0xff
	}
	return low, high, nil
}
