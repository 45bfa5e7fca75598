package chip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// File is a file of a travel document's chip, by its identifier (9303-10 §4.2);
// its low five bits are the short one.
type File uint16

// The files.
const (
	CardAccess File = 0x011c
	COM        File = 0x011e
	SOD        File = 0x011d
	DG1        File = 0x0101 // the machine-readable zone
	DG2        File = 0x0102 // the portrait
	DG7        File = 0x0107 // the signature as a picture
	DG11       File = 0x010b
	DG12       File = 0x010c
	DG14       File = 0x010e
	DG15       File = 0x010f
)

// String names the file.
func (f File) String() string {
	switch f {
	case CardAccess:
		return "EF.CardAccess"
	case COM:
		return "EF.COM"
	case SOD:
		return "EF.SOD"
	}
	if f > 0x0100 && f <= 0x0110 {
		return fmt.Sprintf("DG%d", f&0xff)
	}
	return fmt.Sprintf("file %04X", uint16(f))
}

// tags are what the files begin with (9303-10 §4.7); EF.CardAccess is a set.
var tags = map[File]Tag{
	CardAccess: 0x31, COM: 0x60, SOD: 0x77, DG1: 0x61, DG2: 0x75, DG7: 0x67, DG11: 0x6b, DG12: 0x6c, DG14: 0x6e, DG15: 0x6f,
}

// Instructions and limits of reading.
const (
	insSelect   = 0xa4
	insRead     = 0xb0
	insReadOdd  = 0xb1
	reachOfRead = 0x7fff // beyond it the odd instruction reads
	tagOffset   = 0x54
	tagContent  = 0x53
	longBlock   = maxNe - 256 // there is room for secure messaging around it
	shortPlain  = 256
	shortDES    = 231 // the most that a short answer holds under secure messaging
	shortAES    = 223
)

// block is how much is asked for at a time.
func (l *link) block() int {
	switch {
	case l.long:
		return longBlock
	case l.secure == nil:
		return shortPlain
	case l.secure.suite == TripleDES:
		return shortDES
	}
	return shortAES
}

// read reads a file whole. progress, which may be nil, hears how much is there,
// and of how much.
func (l *link) read(ctx context.Context, f File, progress func(done, total int)) ([]byte, error) {
	content, err := l.beginning(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f, err)
	}
	total, err := extent(f, content)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f, err)
	}
	for len(content) < total {
		if progress != nil {
			progress(len(content), total)
		}
		more, err := l.at(ctx, len(content), min(total-len(content), l.block()))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f, err)
		}
		if len(more) == 0 {
			return nil, fmt.Errorf("reading %s: %w", f, ErrProtocol)
		}
		content = append(content, more...)
	}
	if progress != nil {
		progress(total, total)
	}
	return content[:total], nil
}

// beginning selects a file by its short identifier and reads what one command
// gives; a chip that does not know short identifiers is asked the long way.
func (l *link) beginning(ctx context.Context, f File) ([]byte, error) {
	if l.byName {
		return l.selected(ctx, f)
	}
	c := Command{INS: insRead, P1: 0x80 | byte(f&0x1f), Ne: l.block()}
	data, status, err := l.do(ctx, c)
	if err == nil && status == WrongLength && l.long {
		l.long, c.Ne = false, shortPlain // ask short before anything else is concluded
		c.Ne = l.block()
		data, status, err = l.do(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	if good(status) && len(data) > 0 {
		return data, nil
	}
	if status == FileMissing {
		return nil, &Error{"selecting", status}
	}
	l.byName = true
	return l.selected(ctx, f)
}

// selected selects a file by its identifier and reads its beginning.
func (l *link) selected(ctx context.Context, f File) ([]byte, error) {
	id := binary.BigEndian.AppendUint16(nil, uint16(f))
	if _, err := l.must(ctx, "selecting", Command{INS: insSelect, P1: 0x02, P2: 0x0c, Data: id}); err != nil {
		return nil, err
	}
	return l.at(ctx, 0, l.block())
}

// good reports a status under which data came.
func good(s Status) bool { return s == OK || s == EndOfFile }

// extent is the length of a file by its first bytes. A file that begins with
// another tag than its own is none.
func extent(f File, content []byte) (int, error) {
	tag, size, err := tagOf(content)
	if err != nil || tag != tags[f] {
		return 0, ErrProtocol
	}
	n, more, err := lengthOf(content[size:])
	if err != nil {
		return 0, err
	}
	if size+more+n > maxFile {
		return 0, ErrBudget
	}
	return size + more + n, nil
}

// at reads a part of the selected file.
func (l *link) at(ctx context.Context, offset, n int) ([]byte, error) {
	if offset > reachOfRead {
		return l.far(ctx, offset, n)
	}
	c := Command{INS: insRead, P1: byte(offset >> 8), P2: byte(offset), Ne: n}
	data, status, err := l.do(ctx, c)
	switch {
	case err != nil:
		return nil, err
	case !good(status):
		return nil, &Error{"reading", status}
	case len(data) > n:
		return nil, ErrProtocol
	}
	return data, nil
}

// errEmpty is why a far part is none.
var errEmpty = errors.New("an answer without content")

// far reads beyond the reach of the even instruction (ISO 7816-4 §11.3.3): the
// offset goes in an object, the content comes in one.
func (l *link) far(ctx context.Context, offset, n int) ([]byte, error) {
	where := []byte{byte(offset >> 16), byte(offset >> 8), byte(offset)}
	if where[0] == 0 {
		where = where[1:]
	}
	const frame = 5 // the most that tag and length of the content take
	ask := min(n+frame, l.block())
	data, status, err := l.do(ctx, Command{INS: insReadOdd, Data: Object(tagOffset, where), Ne: ask})
	switch {
	case err != nil:
		return nil, err
	case !good(status):
		return nil, &Error{"reading", status}
	}
	content, err := find(data, tagContent)
	if err != nil || len(content) == 0 || len(content) > n {
		return nil, errors.Join(ErrProtocol, errEmpty)
	}
	return content, nil
}
