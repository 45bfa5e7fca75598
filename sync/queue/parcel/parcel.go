// Package parcel packs sealed records into a file that any counter can carry in
// and send, and says of a record which counter had sealed it first. A record
// stays as shut as it was: the parts are copied, and only the header around them
// is written and signed anew by whoever sends it.
//
// It opens nothing, signs nothing, and knows neither queue nor centre. A box is a
// folder in which one program leaves parcels for another.
//
// # The laws
//
//   - A parcel's bytes are hostile: every length is bounded before it is read, and
//     a record comes out of it whole or not at all.
//   - A parcel that was cut short or altered gives the records before that place,
//     and an error after them.
//   - The first counter's header and signature go along inside the new header,
//     byte for byte, so that who sealed a record first can still be proved.
package parcel

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
)

// magic begins a parcel: Counterproof parcel, format 1.
const magic = "CPP1"

// maxRecord bounds one record in a parcel, in bytes: what a centre takes (64 MiB
// of parts) with its header.
const maxRecord = 64<<20 + wire.MaxHeader + wire.MaxSignature + 4*wire.MaxParts + 64

// ErrCut: the parcel ends too early or was altered. What came before it is whole.
var ErrCut = errors.New("the parcel was cut short or altered")

// Write packs records, in the order in which they come, and returns how many.
// Each record stands after its length and before its digest; a length of zero,
// the count and the digest of everything end the parcel.
func Write(w io.Writer, records iter.Seq2[wire.Envelope, error]) (n int, err error) {
	all := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, all), 1<<16)
	_, _ = out.WriteString(magic) // the writer keeps its first error for Flush
	for e, err := range records {
		if err != nil {
			return n, fmt.Errorf("packing records: %w", err)
		}
		b := e.Marshal(nil)
		if len(b) > maxRecord {
			return n, fmt.Errorf("packing records: one has %d bytes", len(b))
		}
		sum := sha256.Sum256(b)
		_, _ = out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		_, _ = out.Write(b)
		_, _ = out.Write(sum[:])
		n++
	}
	_, _ = out.Write(binary.BigEndian.AppendUint64(make([]byte, 4), uint64(n)))
	err = out.Flush()
	if err == nil {
		_, err = w.Write(all.Sum(nil))
	}
	if err != nil {
		return n, fmt.Errorf("packing records: %w", err)
	}
	return n, nil
}

// Read yields the records of a parcel, each checked against its own header. An
// error, ErrCut or the reader's own, ends it.
func Read(r io.Reader) iter.Seq2[wire.Envelope, error] {
	return func(yield func(wire.Envelope, error) bool) {
		u := unpacker{in: bufio.NewReaderSize(r, 1<<16), all: sha256.New()}
		if first := u.take(len(magic)); u.err == nil && string(first) != magic {
			u.err = fmt.Errorf("%w: it does not begin as one", ErrCut)
		}
		for n := uint64(0); u.err == nil; n++ {
			e, more := u.record(n)
			if u.err != nil || !more {
				break
			}
			if !yield(e, nil) {
				return
			}
		}
		if u.err != nil {
			yield(wire.Envelope{}, fmt.Errorf("unpacking records: %w", u.err))
		}
	}
}

// unpacker reads a parcel; after its first error it reads nothing.
type unpacker struct {
	in  io.Reader
	all hash.Hash
	err error
}

// take reads n bytes, growing with what comes: a length alone takes no memory.
func (u *unpacker) take(n int) []byte {
	if u.err != nil {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(u.in, int64(n)))
	if err == nil && len(b) < n {
		err = ErrCut
	}
	u.err = err
	_, _ = u.all.Write(b) // a hash never fails
	return b
}

// record reads the n-th record, or the end of the parcel.
func (u *unpacker) record(n uint64) (e wire.Envelope, more bool) {
	length := u.take(4)
	if u.err != nil {
		return e, false
	}
	size := binary.BigEndian.Uint32(length)
	if size == 0 {
		u.end(n)
		return e, false
	}
	if size > maxRecord {
		u.err = fmt.Errorf("%w: a record of %d bytes", ErrCut, size)
		return e, false
	}
	b, sum := u.take(int(size)), u.take(sha256.Size)
	if u.err != nil {
		return e, false
	}
	if sha256.Sum256(b) != [sha256.Size]byte(sum) {
		u.err = fmt.Errorf("%w: record %d", ErrCut, n+1)
		return e, false
	}
	e, _, err := wire.ParseEnvelope(b)
	if err == nil {
		_, err = e.Check()
	}
	if err != nil {
		u.err = fmt.Errorf("%w: record %d: %w", ErrCut, n+1, err)
	}
	return e, u.err == nil
}

// end reads the count and the digest of everything.
func (u *unpacker) end(n uint64) {
	count := u.take(8)
	want := u.all.Sum(nil)
	got := u.take(sha256.Size)
	if u.err == nil && (binary.BigEndian.Uint64(count) != n || string(got) != string(want)) {
		u.err = fmt.Errorf("%w: %d records came", ErrCut, n)
	}
}

// Endings of a box's files: a parcel, one that was taken out, one half written.
const (
	suffix     = ".parcel"
	doneSuffix = ".done"
	halfSuffix = ".half"
)

// Put leaves a parcel in a box, a folder that is made if missing, for whoever takes
// it from there, and returns how many records it holds. One that is not whole is
// not left.
func Put(box string, r io.Reader) (n int, err error) {
	const op = "leaving a parcel"
	if err := os.MkdirAll(box, 0o700); err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	f, err := os.CreateTemp(box, "*"+halfSuffix)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	defer os.Remove(f.Name())
	for _, failed := range Read(io.TeeReader(r, f)) {
		if failed != nil {
			return n, errors.Join(fmt.Errorf("%s: %w", op, failed), f.Close())
		}
		n++
	}
	err = errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = durable.Rename(f.Name(), strings.TrimSuffix(f.Name(), halfSuffix)+suffix)
	}
	if err != nil {
		return n, fmt.Errorf("%s: %w", op, err)
	}
	return n, nil
}

// Take hands every parcel of a box to use, one after the other. One that use took
// without an error is kept under another name; another stays for the next time,
// and what failed comes back.
func Take(box string, use func(io.Reader) error) error {
	files, err := os.ReadDir(box)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("looking for parcels: %w", err)
	}
	var failed error
	for _, file := range files {
		if name := filepath.Join(box, file.Name()); strings.HasSuffix(name, suffix) {
			failed = errors.Join(failed, takeOne(name, use))
		}
	}
	return failed
}

func takeOne(name string, use func(io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("taking a parcel: %w", err)
	}
	if err := errors.Join(use(f), f.Close()); err != nil {
		return fmt.Errorf("taking a parcel: %w", err)
	}
	return durable.Rename(name, name+doneSuffix)
}

// originTag is the header's field that holds the first counter's header and
// signature. It is of the tags that readers keep without knowing them.
const originTag = 0x0100

// Origin is the record as it was sealed first: the header and the signature of
// the counter that made it; false where the header is of that counter itself.
func Origin(h wire.Header) (first wire.Envelope, ok bool) {
	for _, f := range h.Unknown {
		if f.Tag != originTag || len(f.Value) < 4 {
			continue
		}
		n := binary.BigEndian.Uint32(f.Value)
		if uint64(n) > uint64(len(f.Value)-4) {
			continue
		}
		return wire.Envelope{Header: f.Value[4 : 4+n], Signature: f.Value[4+n:]}, true
	}
	return wire.Envelope{}, false
}

// Carry is the header under which another counter, or this one with another key
// or at another place of its chain, sends a record: what it says of the visit
// stays, Agent, Seq, Prev and Counter are for the caller to set, and the first
// header and signature go along. What was carried before keeps its first origin.
func Carry(e wire.Envelope) (wire.Header, error) {
	h, err := e.Check()
	if err != nil {
		return wire.Header{}, fmt.Errorf("carrying a record: %w", err)
	}
	if _, carried := Origin(h); !carried {
		value := binary.BigEndian.AppendUint32(nil, uint32(len(e.Header)))
		value = append(append(value, e.Header...), e.Signature...)
		h.Unknown = append(h.Unknown, wire.Field{Tag: originTag, Value: value})
	}
	h.Agent, h.Seq, h.Prev, h.Counter = "", 0, wire.Hash{}, 0
	return h, nil
}
