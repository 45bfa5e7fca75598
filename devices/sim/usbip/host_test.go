package usbip

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// status numbers as the host sees them.
const (
	ok       = 0
	stalled  = -32
	damaged  = -71
	babbled  = -75
	unlinked = -104
)

// got is one answer.
type got struct {
	command, seq uint32
	status       int
	moved        int
	data         []byte
}

// host is the kernel's side of a connection, as small as tests need it.
type host struct {
	t       *testing.T
	conn    net.Conn
	seq     uint32
	answers chan got
	served  chan error
}

// plugged serves a device on a pipe and returns the other side.
func plugged(t *testing.T, d *Device) *host {
	t.Helper()
	ours, theirs := net.Pipe()
	h := &host{t: t, conn: ours, answers: make(chan got, 2*maxWaiting), served: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.served <- d.Serve(ctx, theirs) }()
	go func() { defer close(done); h.listen() }()
	synctest.Wait()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return h
}

// listen takes answers; of these only the ones whose number is odd carry data,
// because begin gives odd numbers to what comes in.
func (h *host) listen() {
	defer close(h.answers)
	header := make([]byte, headerBytes)
	for {
		if _, err := io.ReadFull(h.conn, header); err != nil {
			return
		}
		be := binary.BigEndian
		g := got{
			command: be.Uint32(header), seq: be.Uint32(header[4:]),
			status: int(int32(be.Uint32(header[20:]))), moved: int(be.Uint32(header[24:])),
		}
		if g.command == retSubmit && g.seq%2 == 1 {
			g.data = make([]byte, g.moved)
			if _, err := io.ReadFull(h.conn, g.data); err != nil {
				return
			}
		}
		h.answers <- g
	}
}

// command writes a header and what comes along.
func command(kind, seq, direction, endpoint uint32, rest ...[]byte) []byte {
	b := make([]byte, 20, headerBytes)
	for i, v := range []uint32{kind, seq, 1<<16 | 2, direction, endpoint} {
		binary.BigEndian.PutUint32(b[4*i:], v)
	}
	for _, r := range rest {
		b = append(b, r...)
	}
	return b
}

// submission is a CMD_SUBMIT.
func submission(seq uint32, address byte, length int, setup [8]byte, data []byte) []byte {
	rest := make([]byte, 20)
	binary.BigEndian.PutUint32(rest[4:], uint32(length))
	return command(cmdSubmit, seq, uint32(address>>7), uint32(address&0x0f), rest, setup[:], data)
}

func (h *host) number(in bool) uint32 {
	h.seq += 2
	if in {
		return h.seq + 1
	}
	return h.seq
}

// ask begins a transfer toward the host and returns its number.
func (h *host) ask(address byte, length int) uint32 {
	h.t.Helper()
	seq := h.number(true)
	h.write(submission(seq, address, length, [8]byte{}, nil))
	return seq
}

// give begins a transfer toward the device.
func (h *host) give(address byte, data []byte) uint32 {
	h.t.Helper()
	seq := h.number(false)
	h.write(submission(seq, address, len(data), [8]byte{}, data))
	return seq
}

func (h *host) unlink(victim uint32) uint32 {
	h.t.Helper()
	seq := h.number(false)
	rest := binary.BigEndian.AppendUint32(nil, victim)
	h.write(command(cmdUnlink, seq, 0, 0, rest, make([]byte, 24)))
	return seq
}

func (h *host) write(b []byte) {
	h.t.Helper()
	if _, err := h.conn.Write(b); err != nil {
		h.t.Logf("the device hung up: %v", err)
	}
}

// answer waits for the next answer, whatever it belongs to.
func (h *host) answer() got {
	h.t.Helper()
	select {
	case g, open := <-h.answers:
		if !open {
			h.t.Fatal("the device hung up instead of answering")
		}
		return g
	case <-time.After(time.Hour):
		h.t.Fatal("no answer")
		return got{}
	}
}

// silent holds the device to have nothing to say.
func (h *host) silent() {
	h.t.Helper()
	synctest.Wait()
	select {
	case g, open := <-h.answers:
		if open {
			h.t.Fatalf("an answer that nobody waited for: %+v", g)
		}
	default:
	}
}

// read is one transfer toward the host, from begin to end.
func (h *host) read(address byte, length int) got {
	h.t.Helper()
	h.ask(address, length)
	return h.answer()
}

// request is one on endpoint 0 toward the host.
func (h *host) request(kind, request byte, value, index uint16, length int) got {
	h.t.Helper()
	seq := h.number(true)
	h.write(submission(seq, 0x80, length, setup(kind, request, value, index, length), nil))
	return h.answer()
}

// order is one on endpoint 0 toward the device.
func (h *host) order(kind, request byte, value, index uint16, data []byte) got {
	h.t.Helper()
	seq := h.number(false)
	h.write(submission(seq, 0, len(data), setup(kind, request, value, index, len(data)), data))
	return h.answer()
}

func setup(kind, request byte, value, index uint16, length int) (b [8]byte) {
	b[0], b[1] = kind, request
	binary.LittleEndian.PutUint16(b[2:], value)
	binary.LittleEndian.PutUint16(b[4:], index)
	binary.LittleEndian.PutUint16(b[6:], uint16(length))
	return b
}

// clear lets a halted endpoint go on.
func (h *host) clear(address byte) {
	h.t.Helper()
	if g := h.order(0x02, clearFeature, 0, uint16(address), nil); g.status != ok {
		h.t.Fatalf("clearing a halt: status %d", g.status)
	}
}

// hungUp waits until the device is out.
func (h *host) hungUp() error {
	h.t.Helper()
	select {
	case err := <-h.served:
		return err
	case <-time.After(time.Hour):
		h.t.Fatal("the device stays plugged in")
		return nil
	}
}
