package chip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/agent/chip/sm"
)

// File is a file of a travel document's chip, by its identifier (9303-10 §4.2);
// its low five bits are the short one. EF.CardSecurity's is 011D too: it is told
// from EF.SOD by the folder that it is in.
type File uint16

// The files.
const (
	CardAccess   File = 0x011c // in the master file, for everybody
	CardSecurity File = masterFile | 0x1d
	COM          File = 0x011e
	SOD          File = 0x011d
	DG1          File = 0x0101 // the machine-readable zone
	DG2          File = 0x0102 // the portrait
	DG7          File = 0x0107 // the signature as a picture
	DG11         File = 0x010b
	DG12         File = 0x010c
	DG13         File = 0x010d
	DG14         File = 0x010e
	DG15         File = 0x010f // the key of Active Authentication
	DG16         File = 0x0110
)

// masterFile is the identifier of the folder that holds all others.
const masterFile = 0x3f00

// id is the identifier inside the file's folder.
func (f File) id() uint16 {
	if f == CardSecurity {
		return 0x011d
	}
	return uint16(f)
}

// String names the file.
func (f File) String() string {
	switch f {
	case CardAccess:
		return "EF.CardAccess"
	case CardSecurity:
		return "EF.CardSecurity"
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

// tags are what the files begin with (9303-10 §4.7); EF.CardAccess is a set,
// EF.CardSecurity a signed message.
var tags = map[File]sm.Tag{
	CardAccess: 0x31, CardSecurity: 0x30, DG13: 0x6d, DG16: 0x70, COM: 0x60, SOD: 0x77, DG1: 0x61, DG2: 0x75, DG7: 0x67, DG11: 0x6b, DG12: 0x6c, DG14: 0x6e, DG15: 0x6f,
}

// Instructions and limits of reading.
const (
	insSelect  = 0xa4
	insRead    = 0xb0
	insReadOdd = 0xb1

	insGetResponse = 0xc0

	reachOfRead = 0x7fff // beyond it the odd instruction reads
	tagOffset   = 0x54
	tagContent  = 0x53
	longBlock   = sm.MaxNe - 256 // there is room for secure messaging around it
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
	case l.secure.Suite() == sm.TripleDES:
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
	c := sm.Command{INS: insRead, P1: 0x80 | byte(f&0x1f), Ne: l.block()}
	data, status, err := l.do(ctx, c)
	if err == nil && status == sm.WrongLength && l.long {
		l.long = false // ask short before anything else is concluded
		c.Ne = l.block()
		data, status, err = l.do(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	if good(status) && len(data) > 0 {
		l.byShort = f != CardAccess
		return data, nil
	}
	if status == sm.FileMissing && (l.byShort || f == CardAccess) {
		return nil, &Error{"selecting", status}
	}
	l.byName = true
	return l.selected(ctx, f)
}

// selected selects a file by its identifier and reads its beginning.
func (l *link) selected(ctx context.Context, f File) ([]byte, error) {
	id := binary.BigEndian.AppendUint16(nil, f.id())
	if _, err := l.must(ctx, "selecting", sm.Command{INS: insSelect, P1: 0x02, P2: 0x0c, Data: id}); err != nil {
		return nil, err
	}
	return l.at(ctx, 0, l.block())
}

// good reports a status under which data came.
func good(s sm.Status) bool { return s == sm.OK || s == sm.EndOfFile }

// extent is the length of a file by its first bytes. A file that begins with
// another tag than its own is none.
func extent(f File, content []byte) (int, error) {
	tag, size, err := sm.ParseTag(content)
	if err != nil || tag != tags[f] {
		return 0, ErrProtocol
	}
	n, more, err := sm.ParseLength(content[size:])
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
	c := sm.Command{INS: insRead, P1: byte(offset >> 8), P2: byte(offset), Ne: n}
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
	data, status, err := l.do(ctx, sm.Command{INS: insReadOdd, Data: sm.Object(tagOffset, where), Ne: ask})
	switch {
	case err != nil:
		return nil, err
	case !good(status):
		return nil, &Error{"reading", status}
	}
	content, err := sm.Find(data, tagContent)
	if err != nil || len(content) == 0 || len(content) > n {
		return nil, errors.Join(ErrProtocol, errEmpty)
	}
	return content, nil
}
