package wire

import (
	"encoding/binary"
	"fmt"
)

// Bounds of a run of records that are sent in one request, as after a long time
// without a network.
const (
	// MaxRun is how many records a run holds at most (a count).
	MaxRun = 50
	// MaxRunBytes bounds a run, in bytes: two minutes on a line of 9 kB/s.
	MaxRunBytes = 1 << 20
)

// Answers are the centre's replies to a run: one for each record from the first
// on, up to where it stopped, and the body of their JSON.
type Answers struct {
	Answers []Answer `json:"answers" maxItems:"50"`
}

// MarshalRun writes records that follow each other in a chain, each after its
// 4-byte big-endian length, without the parts that travel ahead.
func MarshalRun(records []Envelope) []byte {
	var b []byte
	for _, e := range records {
		one := e.Marshal(Inline)
		b = binary.BigEndian.AppendUint32(b, uint32(len(one)))
		b = append(b, one...)
	}
	return b
}

// ParseRun cuts a run into its records, at least one and at most MaxRun. They are
// not read: ParseEnvelope does that, and one that it cannot read spoils no other.
func ParseRun(b []byte) (records [][]byte, err error) {
	if len(b) > MaxRunBytes {
		return nil, fmt.Errorf("%w: a run of %d bytes", ErrHeader, len(b))
	}
	for len(b) > 0 {
		var one []byte
		if one, b, err = cutBytes(b, MaxRunBytes); err != nil {
			return nil, err
		}
		if records = append(records, one); len(records) > MaxRun {
			return nil, fmt.Errorf("%w: a run of more than %d records", ErrHeader, MaxRun)
		}
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%w: an empty run", ErrHeader)
	}
	return records, nil
}
