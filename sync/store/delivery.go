package store

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/counterproof/counterproof/sync/wire"
)

// A delivery is how records go from the centre to the opener: a magic, then
// for each record its title as JSON and the envelope with all its parts, each
// after its 4-byte big-endian length; an empty title ends it. A stream that
// was cut has no end and is told from one that has no more records. A record
// that is damaged says so in its title; its envelope may be empty. One that was
// erased says so too; it has header and signature, and no parts.

// title is what stands before an envelope.
type title struct {
	Receipt wire.Receipt `json:"receipt"`
	Origin  Origin       `json:"origin"`
	Damaged bool         `json:"damaged,omitempty"`
	Erased  bool         `json:"erased,omitempty"`
}

// deliveryMagic opens a delivery: Counterproof delivery, format 1.
const deliveryMagic = "CPD1"

// Limits of a delivery's frames, in bytes.
const (
	maxTitle    = 8 << 10
	maxEnvelope = MaxRecord + wire.MaxHeader + wire.MaxSignature + 4*wire.MaxParts + 64
)

// ErrDelivery is wrapped by every error about a delivery's bytes.
var ErrDelivery = errors.New("not a whole delivery")

// Delivery writes records for the opener. Nothing is delivered until Close
// has written the end.
type Delivery struct {
	w      io.Writer
	opened bool
}

// NewDelivery begins a delivery on w; nothing is written yet.
func NewDelivery(w io.Writer) *Delivery { return &Delivery{w: w} }

// Write adds one record.
func (d *Delivery) Write(r Record) error {
	head, err := json.Marshal(title{r.Receipt, r.Origin, r.Damaged, r.Erased})
	if err != nil {
		return fmt.Errorf("writing a receipt: %w", err)
	}
	if err := d.open(); err != nil {
		return err
	}
	if err := d.frame(head); err != nil {
		return err
	}
	if r.Damaged && r.Envelope.Header == nil {
		return d.frame(nil)
	}
	return d.frame(r.Envelope.Marshal(nil))
}

// Close writes the end of the delivery. It does not close the writer.
func (d *Delivery) Close() error {
	if err := d.open(); err != nil {
		return err
	}
	return d.frame(nil)
}

// open writes the magic once.
func (d *Delivery) open() error {
	if d.opened {
		return nil
	}
	d.opened = true
	_, err := io.WriteString(d.w, deliveryMagic)
	return err
}

// frame writes a length and its bytes.
func (d *Delivery) frame(b []byte) error {
	if _, err := d.w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b)))); err != nil {
		return err
	}
	_, err := d.w.Write(b)
	return err
}

// ReadDelivery yields the records of a delivery. Each is whole, its receipt
// naming its envelope and its parts being the header's; or Erased, and then without
// parts; or else Damaged, also where it says that it is whole. Signatures are the caller's to check. An error
// means that the stream itself is broken, and ends it.
func ReadDelivery(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		br := bufio.NewReader(r)
		var magic [len(deliveryMagic)]byte
		if _, err := io.ReadFull(br, magic[:]); err != nil || string(magic[:]) != deliveryMagic {
			yield(Record{}, fmt.Errorf("%w: none begins so", ErrDelivery))
			return
		}
		for {
			record, more, err := readRecord(br)
			if err != nil {
				yield(Record{}, err)
				return
			}
			if !more || !yield(record, nil) {
				return
			}
		}
	}
}

// readRecord reads one record; more is false at the delivery's end.
func readRecord(r io.Reader) (record Record, more bool, err error) {
	text, err := readFrame(r, maxTitle)
	if err != nil {
		return record, false, err
	}
	if len(text) == 0 {
		return record, false, nil
	}
	var head title
	if err := json.Unmarshal(text, &head); err != nil {
		return record, false, fmt.Errorf("%w: reading a receipt: %w", ErrDelivery, err)
	}
	record.Receipt, record.Origin, record.Damaged = head.Receipt, head.Origin, head.Damaged
	sealed, err := readFrame(r, maxEnvelope)
	if err != nil {
		return record, false, err
	}
	if record.Envelope, _, err = wire.ParseEnvelope(sealed); err != nil || record.Envelope.RecHash() != record.Receipt.RecHash {
		record.Envelope, record.Damaged = wire.Envelope{}, true
		return record, true, nil
	}
	record.Erased = head.Erased && !held(record.Envelope)
	if _, err := record.Envelope.Check(); err != nil && !record.Erased {
		record.Damaged = true
	}
	return record, true, nil
}

// held reports whether an envelope has any sealed bytes.
func held(e wire.Envelope) bool {
	return slices.ContainsFunc(e.Parts, func(p wire.Part) bool { return p.Sealed != nil })
}

// readFrame reads a length and that many bytes. Memory grows with what
// arrives, not with what the length promises.
func readFrame(r io.Reader, limit int64) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("%w: cut short: %w", ErrDelivery, err)
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n > limit {
		return nil, fmt.Errorf("%w: a length of %d bytes", ErrDelivery, n)
	}
	b, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil || int64(len(b)) != n {
		return nil, fmt.Errorf("%w: cut short", ErrDelivery)
	}
	return b, nil
}
