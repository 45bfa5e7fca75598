package seal

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

const (
	lengthBytes = 4   // big-endian, before the content
	minBucket   = 512 // below this every length looks alike
)

// bucket is the padded length for n bytes: Padmé (Nikitin et al., PETS 2019,
// §4.2) keeps as many leading bits of the length as its logarithm has, so the
// length leaks O(log log n) bits and grows by an eighth at most.
func bucket(n int) int {
	if n <= minBucket {
		return minBucket
	}
	exponent := bits.Len(uint(n)) - 1
	kept := bits.Len(uint(exponent))
	mask := 1<<max(exponent-kept, 0) - 1
	return (n + mask) &^ mask
}

// pad writes the length, the content and zeros up to the bucket.
func pad(plain []byte) []byte {
	b := make([]byte, bucket(lengthBytes+len(plain)))
	binary.BigEndian.PutUint32(b, uint32(len(plain)))
	copy(b[lengthBytes:], plain)
	return b
}

// unpad accepts only what pad writes: one content has one padded form, so the
// padding carries nothing.
func unpad(b []byte) ([]byte, error) {
	if len(b) < lengthBytes {
		return nil, errors.New("the padding is cut short")
	}
	n := uint64(binary.BigEndian.Uint32(b))
	rest := b[lengthBytes:]
	if n > uint64(len(rest)) || bucket(lengthBytes+int(n)) != len(b) {
		return nil, errors.New("the padding does not fit its length")
	}
	for _, c := range rest[n:] {
		if c != 0 {
			return nil, errors.New("the padding is not empty")
		}
	}
	return rest[:n:n], nil
}
