package draft

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/counterproof/counterproof/agent/proof"
)

// The file is a head of fixed size and entries behind it. The head holds the
// wrapped key; an entry is its length and one AES-256-GCM box with a random
// nonce in front, bound to the visit and its place.
const (
	magic     = "CPDRAFT1"
	keyLen    = 32
	headLen   = 512
	lengthLen = 4
	nonceLen  = 12
	maxEntry  = 96 << 20 // one event with its pictures
	maxFirst  = 4 << 10  // the first event, which begins the visit and has none
	// maxWrapped is the room for the wrapped key in the head.
	maxWrapped = headLen - len(magic) - 2
)

// errTorn says that the file ends inside an entry.
var errTorn = errors.New("the last entry is not whole")

// errDamaged says that the file itself is wrong and stays so, whatever is tried
// again. A keeper that is busy or a disk that fails is no such thing.
var errDamaged = errors.New("the draft is damaged")

// errLocked says that the keeper gives no key for the draft: it is busy, or the
// draft is another counter's.
var errLocked = errors.New("the key does not unwrap")

// errNewer says that an entry is whole, since its seal holds, but of a program
// that writes what this one does not know. Cutting it off or setting the file
// aside would lose what was answered; the newer program reads it.
var errNewer = errors.New("an entry of a newer program")

// box seals and opens the entries of one visit.
type box struct {
	aead cipher.AEAD
	id   proof.CaseID
}

func newBox(key []byte, id proof.CaseID) (box, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return box{}, fmt.Errorf("making a cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return box{}, fmt.Errorf("making a cipher: %w", err)
	}
	return box{aead, id}, nil
}

// head writes magic, length and the wrapped key, padded.
func head(wrapped []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte(magic), uint16(len(wrapped)))
	b = append(b, wrapped...)
	return append(b, make([]byte, headLen-len(b))...)
}

// wrappedKey reads a head.
func wrappedKey(h []byte) ([]byte, error) {
	if len(h) != headLen || string(h[:len(magic)]) != magic {
		return nil, errors.New("the head is not a draft's")
	}
	n := int(binary.BigEndian.Uint16(h[len(magic):]))
	if n == 0 || n > maxWrapped {
		return nil, errors.New("the head holds no key")
	}
	return h[len(magic)+2 : len(magic)+2+n], nil
}

// seal makes an entry: the event as JSON and each picture, every one after its
// length, in one box. The event's number is bound in, so entries cannot be
// swapped or left out unseen.
func (b box) seal(e proof.Event, pictures []Picture) ([]byte, error) {
	event, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("writing an event: %w", err)
	}
	clear := appendRun(binary.BigEndian.AppendUint32(nil, uint32(e.Seq)), event)
	for _, p := range pictures {
		clear = appendRun(appendRun(clear, []byte(p.ID)), p.JPEG)
	}
	n := nonceLen + len(clear) + b.aead.Overhead()
	if n > maxEntry {
		return nil, fmt.Errorf("an entry of %d bytes", n)
	}
	entry := make([]byte, lengthLen+nonceLen, lengthLen+n)
	binary.BigEndian.PutUint32(entry, uint32(n))
	nonce := entry[lengthLen:]
	rand.Read(nonce)
	return b.aead.Seal(entry, nonce, clear, []byte(b.id)), nil
}

// open reads an entry without its length.
func (b box) open(entry []byte) (proof.Event, []Picture, error) {
	var e proof.Event
	if len(entry) < nonceLen {
		return e, nil, errTorn
	}
	clear, err := b.aead.Open(nil, entry[:nonceLen], entry[nonceLen:], []byte(b.id))
	if err != nil {
		return e, nil, fmt.Errorf("opening an entry: %w", err)
	}
	e, pictures, err := unpack(clear)
	if err != nil {
		return e, nil, fmt.Errorf("%w: %w", errNewer, err)
	}
	return e, pictures, nil
}

// errForm says that what is in an entry is not laid out as seal does it.
var errForm = errors.New("its runs do not fit")

// unpack reads what was sealed into an entry.
func unpack(clear []byte) (e proof.Event, pictures []Picture, err error) {
	if len(clear) < lengthLen {
		return e, nil, errForm
	}
	event, rest, err := cutRun(clear[lengthLen:])
	if err != nil {
		return e, nil, err
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return e, nil, fmt.Errorf("reading an entry: %w", err)
	}
	for len(rest) > 0 {
		var id, jpeg []byte
		if id, rest, err = cutRun(rest); err != nil {
			return e, nil, err
		}
		if jpeg, rest, err = cutRun(rest); err != nil {
			return e, nil, err
		}
		pictures = append(pictures, Picture{proof.PictureID(id), jpeg})
	}
	return e, pictures, nil
}

// appendRun writes bytes after their length.
func appendRun(b, run []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(run))), run...)
}

// cutRun reads what appendRun wrote.
func cutRun(b []byte) (run, rest []byte, err error) {
	if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, errForm
	}
	n := int(binary.BigEndian.Uint32(b))
	return b[4 : 4+n], b[4+n:], nil
}

// load reads a whole draft. What is torn at the end is cut off on disk.
func (d *Draft) load(keys Keeper) error {
	h := make([]byte, headLen)
	switch _, err := io.ReadFull(d.file, h); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: its head is short", errDamaged)
	case err != nil:
		return fmt.Errorf("reading the head: %w", err)
	}
	wrapped, err := wrappedKey(h)
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	key, err := keys.Unwrap(purpose(d.id), wrapped)
	if err != nil {
		return fmt.Errorf("%w: %w", errLocked, err)
	}
	if d.box, err = newBox(key, d.id); err != nil {
		return err
	}
	d.size = headLen
	for {
		err := d.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errTorn) && len(d.events) == 0 && d.end()-d.size > maxFirst:
			return fmt.Errorf("%w: nothing of it opens", errDamaged)
		case errors.Is(err, errTorn):
			// What is answered is whole and is gone on with, also where a full disk
			// keeps the tail from being set aside; the next entry tries again.
			d.tail = d.cut() != nil
			return nil
		case err != nil:
			return err
		}
	}
}

// next reads one entry: io.EOF behind the last, errTorn where the file ends in
// the middle of one or with one that does not open.
func (d *Draft) next() error {
	length := make([]byte, lengthLen)
	if n, err := d.file.ReadAt(length, d.size); n < lengthLen {
		if n == 0 && errors.Is(err, io.EOF) {
			return io.EOF
		}
		return errTorn
	}
	n := int64(binary.BigEndian.Uint32(length))
	end := d.end()
	if n > maxEntry || d.size+lengthLen+n > end {
		return errTorn
	}
	entry := make([]byte, n)
	if _, err := d.file.ReadAt(entry, d.size+lengthLen); err != nil {
		return fmt.Errorf("reading an entry: %w", err)
	}
	e, pictures, err := d.box.open(entry)
	last := d.size+lengthLen+n == end
	switch {
	case errors.Is(err, errNewer):
		return err
	case err != nil && last:
		return errTorn
	case err != nil:
		return fmt.Errorf("%w: %w", errDamaged, err)
	case e.Seq != len(d.events)+1:
		return fmt.Errorf("%w: entries are missing or swapped", errDamaged)
	}
	d.took(e, pictures, span{d.size, lengthLen + n})
	d.size += lengthLen + n
	return nil
}

// cut ends the file behind the last whole entry. What is cut off is kept beside
// it, still sealed, until the visit is erased: a length that rotted on the disk
// looks like a torn entry, and somebody may yet make sense of it.
func (d *Draft) cut() error {
	tail := make([]byte, min(maxEntry, max(0, d.end()-d.size)))
	n, _ := d.file.ReadAt(tail, d.size)
	if err := keep(d.path+tornSuffix, tail[:n]); err != nil {
		return fmt.Errorf("keeping a torn entry: %w", err)
	}
	if err := errors.Join(d.file.Truncate(d.size), d.file.Sync()); err != nil {
		return fmt.Errorf("cutting a torn entry: %w", err)
	}
	return nil
}

// keep writes a file and waits until it is on the disk.
func keep(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// end is the file's size, 0 where it cannot be told.
func (d *Draft) end() int64 {
	end, err := d.file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0
	}
	return end
}
