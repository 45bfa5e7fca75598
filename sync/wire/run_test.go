package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// small is a record whose header says its number.
func small(seq wire.Seq, part int) wire.Envelope {
	sealed := bytes.Repeat([]byte{byte(seq)}, part)
	h := wire.Header{Version: 1, Agent: "agent-1", Seq: seq, Parts: []wire.PartInfo{
		{Name: "claims", Recipient: "key-1", Len: uint64(part), SHA256: wire.HashOf(sealed)},
	}}
	return wire.Envelope{Header: h.Encode(), Signature: []byte("signature"), Parts: []wire.Part{{Name: "claims", Sealed: sealed}}}
}

// TestRun: what was put into a run comes out of it, in its order, without the
// parts that went ahead.
func TestRun(t *testing.T) {
	t.Parallel()
	sent := []wire.Envelope{small(7, 40), small(8, wire.MaxInline+1), small(9, 1)}
	records, err := wire.ParseRun(wire.MarshalRun(sent))
	if err != nil || len(records) != len(sent) {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, one := range records {
		e, h, err := wire.ParseEnvelope(one)
		if err != nil || h.Seq != wire.Seq(7+i) || e.RecHash() != sent[i].RecHash() {
			t.Errorf("record %d is number %d, %v", i, h.Seq, err)
		}
		if ahead := i == 1; (e.Parts[0].Sealed == nil) != ahead {
			t.Errorf("record %d: its part travels %d bytes along", i, len(e.Parts[0].Sealed))
		}
	}
}

// TestRunBounds: a run that is empty, too long, too large or cut is none.
func TestRunBounds(t *testing.T) {
	t.Parallel()
	one := wire.MarshalRun([]wire.Envelope{small(1, 10)})
	for name, s := range map[string]struct {
		body []byte
		good bool
	}{
		"one":      {one, true},
		"most":     {bytes.Repeat(one, wire.MaxRun), true},
		"too-many": {bytes.Repeat(one, wire.MaxRun+1), false},
		"empty":    {nil, false},
		"cut":      {one[:len(one)-1], false},
		"a-length": {one[:3], false},
		"too-far":  {[]byte{0xff, 0xff, 0xff, 0xff, 1}, false},
		"large":    {binary.BigEndian.AppendUint32(make([]byte, 4), wire.MaxRunBytes), false},
		"larger":   {slices.Repeat(one, wire.MaxRunBytes/len(one)+1), false},
	} {
		if _, err := wire.ParseRun(s.body); (err == nil) != s.good || err != nil && !errors.Is(err, wire.ErrHeader) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRun: whatever bytes come, what is read as a run is written so.
func FuzzRun(f *testing.F) {
	f.Add(wire.MarshalRun([]wire.Envelope{small(1, 10), small(2, 0)}))
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 1, 'x', 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := wire.ParseRun(b)
		if err != nil {
			return
		}
		var again []byte
		for _, one := range records {
			again = append(binary.BigEndian.AppendUint32(again, uint32(len(one))), one...)
		}
		if !bytes.Equal(again, b) || len(records) > wire.MaxRun {
			t.Fatal("a run is read as what it is not")
		}
	})
}
