package usbip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// patched is a submission with one of its words changed.
func patched(word int, v uint32) []byte {
	b := submission(3, readerOut, 4, [8]byte{}, []byte("data"))
	binary.BigEndian.PutUint32(b[4*word:], v)
	return b
}

// TestParse reads messages whole, in pieces, and wrong.
func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		raw  []byte
		n    int
		err  error
	}{
		{"to the device", patched(0, cmdSubmit), 52, nil},
		{"to the host", submission(3, readerIn, 512, [8]byte{}, nil), 48, nil},
		{"unlink", command(cmdUnlink, 3, 0, 0, make([]byte, 28)), 48, nil},
		{"no packets, said in words", patched(8, noPackets), 52, nil},
		{"an answer", patched(0, retSubmit), 0, errNonsense},
		{"no command", patched(0, 0), 0, errNonsense},
		{"a third direction", patched(3, 2), 0, errNonsense},
		{"endpoint 16", patched(4, 16), 0, errNonsense},
		{"negative length", patched(6, 0xffff_ffff), 0, errNonsense},
		{"too long", patched(6, maxTransfer+1), 0, errNonsense},
		{"isochronous", patched(8, 4), 0, errNonsense},
		{"data to come", patched(6, 5), 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, n, err := parse(tt.raw)
			if n != tt.n || !errors.Is(err, tt.err) {
				t.Fatalf("got %d bytes, %v; want %d, %v", n, err, tt.n, tt.err)
			}
			if n > 0 && m.seq != 3 {
				t.Errorf("number %d, want 3", m.seq)
			}
			for cut := range n {
				if _, n, err := parse(tt.raw[:cut]); n != 0 || err != nil {
					t.Errorf("%d bytes of it: %d, %v; want to wait for more", cut, n, err)
				}
			}
		})
	}
}

// tape is a connection whose other side has said everything already.
type tape struct {
	said    *bytes.Reader
	answers bytes.Buffer
	closed  bool
}

func (c *tape) Read(p []byte) (int, error) {
	if c.closed {
		return 0, net.ErrClosed
	}
	return c.said.Read(p)
}

func (c *tape) Write(p []byte) (int, error)      { return c.answers.Write(p) }
func (c *tape) Close() error                     { c.closed = true; return nil }
func (c *tape) LocalAddr() net.Addr              { return nil }
func (c *tape) RemoteAddr() net.Addr             { return nil }
func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetReadDeadline(time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }

// FuzzServe lets the host's side say anything to every model: it ends, and every
// answer is whole, belongs to a question and holds no more than was asked for.
func FuzzServe(f *testing.F) {
	talk := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	descriptor := setup(0x80, getDescriptor, typeConfig<<8, 0, 255)
	f.Add(talk(submission(1, 0x80, 255, descriptor, nil)))
	f.Add(talk(submission(3, readerIn, 512, [8]byte{}, nil), command(cmdUnlink, 4, 0, 0, []byte{0, 0, 0, 3}, make([]byte, 24))))
	f.Add(talk(submission(2, readerOut, 4, [8]byte{}, []byte("data")), submission(5, 0x82, 64, [8]byte{}, nil)))
	f.Add(talk(submission(2, 0, 7, setup(0x21, setLineCoding, 0, 0, 7), make([]byte, 7))))
	f.Add(talk(submission(2, 0, 26, setup(0x21, setCurrent, commit<<8, 1, 26), make([]byte, 26)), submission(7, CameraIn, 4096, [8]byte{}, nil)))
	f.Add(talk(submission(2, 0, 0, setup(0x02, setFeature, 0, 0xffff, 0), nil), patched(8, 4)))
	f.Fuzz(func(t *testing.T, said []byte) {
		asked := questions(said)
		for name, d := range models() {
			d.Send(Transfer{Endpoint: 0x81, Data: frame()})
			d.Script(Trouble{Endpoint: 0x81, At: 20, Kind: Stall}, Trouble{Endpoint: 0x02, At: 3, Kind: Unplug})
			c := &tape{said: bytes.NewReader(said)}
			if err := d.Serve(t.Context(), c); errors.Is(err, ErrPlugged) {
				t.Fatalf("%s: %v", name, err)
			}
			holdAnswers(t, c.answers.Bytes(), asked)
		}
	})
}

// question is what was asked under a number.
type question struct {
	times, length int
	in            bool
}

// questions collects them.
func questions(said []byte) map[uint32]question {
	asked := map[uint32]question{}
	for len(said) > 0 {
		m, n, err := parse(said)
		if err != nil || n == 0 {
			break
		}
		q := asked[m.seq]
		asked[m.seq] = question{q.times + 1, max(q.length, m.length), m.in}
		said = said[n:]
	}
	return asked
}

// holdAnswers walks through answers. Data follows the answer to a question
// toward the host; where two have the same number it cannot be told whose answer
// it is, and the walk ends.
func holdAnswers(t *testing.T, answers []byte, asked map[uint32]question) {
	t.Helper()
	r := bytes.NewReader(answers)
	header := make([]byte, headerBytes)
	for {
		if _, err := io.ReadFull(r, header); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatalf("half an answer: %v", err)
			}
			return
		}
		kind, seq := binary.BigEndian.Uint32(header), binary.BigEndian.Uint32(header[4:])
		moved, q := int(binary.BigEndian.Uint32(header[24:])), asked[seq]
		switch {
		case q.times > 1:
			return
		case q.times == 0 || kind != retSubmit && kind != retUnlink:
			t.Fatalf("an answer of kind %d to question %d, which nobody asked", kind, seq)
		case moved > q.length:
			t.Fatalf("%d bytes moved of %d", moved, q.length)
		case q.in && kind == retSubmit:
			if n, err := io.CopyN(io.Discard, r, int64(moved)); err != nil {
				t.Fatalf("%d bytes of data where the answer says %d", n, moved)
			}
		}
	}
}
