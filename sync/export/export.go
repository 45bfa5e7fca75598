// Package export is the file by which a stored record leaves the centre for the
// opener or an auditor: the sealed envelope as it came, the centre's receipt, who
// made it, and the proof that the centre's log has it. It says by itself what it
// is, and whoever has it needs nothing else of the centre to check it.
//
// It opens no record and holds no key that could.
//
// # The laws
//
//   - What is read is checked: envelopes by their hashes, receipts by the key that
//     the reader knows the centre by, proofs by the checkpoint and that by the key.
//   - A file is bounded before it is read.
package export

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// Format is the first field of every file.
const Format = "counterproof export 1"

// MaxRecords bounds the records of one file (a count): references rarely meet.
const MaxRecords = 16

// maxFile bounds a file in bytes: a record's bytes in base 64, and a title. More
// than one record of full size is exported one by one.
const maxFile = 2*store.MaxRecord + 4<<20

// File is what an export's JSON text says.
type File struct {
	Format     string          `json:"format"`
	Made       time.Time       `json:"made"`
	By         string          `json:"by"`                  // sign-in name of who exported it
	ReceiptKey []byte          `json:"receipt_key"`         // Ed25519, as the bundle names it
	Checkpoint wire.Checkpoint `json:"checkpoint,omitzero"` // what the proofs are held to
	Proofs     []*wire.Proof   `json:"proofs"`              // one a record; null for one that it does not cover
	Records    []byte          `json:"records"`             // a delivery (store.Delivery)
}

// Source is where exports come from.
type Source interface {
	store.Ingest
	store.Log
}

// Make exports the stored records of some places of the log. A record that no
// checkpoint covers yet has no proof.
func Make(ctx context.Context, s Source, f File, places ...uint64) (File, error) {
	if len(places) == 0 || len(places) > MaxRecords {
		return f, fmt.Errorf("exporting: %d records, of 1 to %d", len(places), MaxRecords)
	}
	f.Format = Format
	var err error
	if f.Checkpoint, err = s.Checkpoint(ctx, 0); err != nil {
		return f, fmt.Errorf("exporting: %w", err)
	}
	var text bytes.Buffer
	d := store.NewDelivery(&text)
	for _, place := range places {
		page, err := s.Records(ctx, place-1, 1)
		if err != nil || len(page) == 0 || page[0].Receipt.LogIndex != place {
			return f, fmt.Errorf("exporting record %d: %w", place, errors.Join(err, store.ErrPlace))
		}
		if err := d.Write(page[0]); err != nil {
			return f, fmt.Errorf("exporting record %d: %w", place, err)
		}
		proof, err := prove(ctx, s, f.Checkpoint.Size, page[0].Receipt)
		if err != nil {
			return f, fmt.Errorf("proving record %d: %w", place, err)
		}
		f.Proofs = append(f.Proofs, proof)
	}
	if err := d.Close(); err != nil {
		return f, fmt.Errorf("exporting: %w", err)
	}
	f.Records = text.Bytes()
	return f, nil
}

// prove proves that the tree of size leaves has a record's; nil if it has not.
func prove(ctx context.Context, s Source, size uint64, r wire.Receipt) (*wire.Proof, error) {
	at, err := s.Places(ctx, r.Agent, r.Seq, 1)
	if err != nil || len(at) == 0 || at[0].Seq != r.Seq || at[0].Leaf >= size {
		return nil, err
	}
	p := &wire.Proof{Seq: r.Seq, Leaf: at[0].Leaf}
	p.Hashes, err = tlog.Prove(size, p.Leaf, func(indexes []int64) ([]wire.Hash, error) { return s.Hashes(ctx, indexes) })
	return p, err
}

// Write writes the file as JSON, its title first.
func (f File) Write(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(f); err != nil {
		return fmt.Errorf("writing an export: %w", err)
	}
	return nil
}

// ErrFile is wrapped by every error about a file's bytes.
var ErrFile = errors.New("not an export of this centre's")

// Read reads a file and checks it under the centre's receipt key, which the
// reader knows from elsewhere: that of the file is only what the file says. Of
// the records, those that no proof covers are counted as unproved. A damaged or
// erased record comes as such.
func Read(r io.Reader, centre ed25519.PublicKey) (f File, records []store.Record, unproved int, err error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return f, nil, 0, fmt.Errorf("reading an export: %w", err)
	}
	if len(b) > maxFile || json.Unmarshal(b, &f) != nil || f.Format != Format {
		return File{}, nil, 0, fmt.Errorf("%w: it is no such file", ErrFile)
	}
	if len(f.Proofs) > MaxRecords || !bytes.Equal(f.ReceiptKey, centre) {
		return File{}, nil, 0, fmt.Errorf("%w: it is another centre's", ErrFile)
	}
	for record, err := range store.ReadDelivery(bytes.NewReader(f.Records)) {
		if err != nil {
			return File{}, nil, 0, fmt.Errorf("%w: %w", ErrFile, err)
		}
		if len(records) == MaxRecords {
			return File{}, nil, 0, fmt.Errorf("%w: too many records", ErrFile)
		}
		if err := seal.VerifyReceipt(record.Receipt, centre); err != nil && !record.Damaged {
			return File{}, nil, 0, fmt.Errorf("%w: a receipt does not verify: %w", ErrFile, err)
		}
		records = append(records, record)
	}
	unproved, err = f.check(records, centre)
	if err != nil {
		return File{}, nil, 0, err
	}
	return f, records, unproved, nil
}

// check holds the proofs to the checkpoint, and that to the centre's key.
func (f File) check(records []store.Record, centre ed25519.PublicKey) (unproved int, err error) {
	if len(f.Proofs) != len(records) {
		return 0, fmt.Errorf("%w: %d proofs of %d records", ErrFile, len(f.Proofs), len(records))
	}
	var tree wire.Checkpoint
	if slices.ContainsFunc(f.Proofs, func(p *wire.Proof) bool { return p != nil }) {
		if tree, _, err = tlog.Open(f.Checkpoint.Note, centre); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrFile, err)
		}
	}
	for i, r := range records {
		p := f.Proofs[i]
		if p == nil {
			unproved++
			continue
		}
		if err := tlog.Check(tree, p.Leaf, tlog.LeafHash(wire.LeafOf(r.Receipt)), p.Hashes); err != nil {
			return 0, fmt.Errorf("%w: record %d: %w", ErrFile, r.Receipt.LogIndex, err)
		}
	}
	return unproved, nil
}
