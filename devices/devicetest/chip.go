package devicetest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// ChipRig is a chip reader that works, with a document on it and no conversation
// begun. A hand or a figure that a rig lacks is nil, and its checks skip.
type ChipRig struct {
	Reader devices.ChipReader
	// Begun counts how often the chip was powered up or reset.
	Begun func() int
	// Remove takes away what lies there; Lay lays the document there again.
	Remove, Lay func()
	// LayDeaf lays a document there whose chip never answers a command.
	LayDeaf func()
	// Unplug pulls the reader out.
	Unplug func()
}

// RunChipReader holds a chip reader to the contract of devices.ChipReader.
func RunChipReader(t *testing.T, in Time, open func(testing.TB) ChipRig) {
	t.Helper()
	run(t, in, open, chipChecks)
}

var chipChecks = []check[ChipRig]{
	{"answer-has-status-words", chipAnswers},
	{"command-is-the-callers", chipCommandKept},
	{"not-connected-is-gone", chipNotConnected},
	{"connecting-begins-anew", chipBeginsAnew},
	{"connecting-waits-for-a-document", chipWaits},
	{"connecting-ends-with-context", chipWaitEnds},
	{"ended-context-does-nothing", endedChip},
	{"removed-document-is-gone", removedCard},
	{"removed-stays-gone-until-connecting", removedStaysGone},
	{"deaf-chip-ends-with-context", deafChip},
	{"removed-while-working-is-gone", removedWorking},
	{"second-user-is-refused", secondChipUser},
	{"disconnected-is-gone", chipParts},
	{"unplugged-is-gone", unpluggedChip},
	{"unplugged-while-waiting-is-gone", unpluggedWaiting},
}

// selectMaster selects the master file (ISO 7816-4 §11.2), which any card answers
// in one way or another.
func selectMaster() []byte { return []byte{0x00, 0xa4, 0x00, 0x0c, 0x02, 0x3f, 0x00} }

// transmit sends the command in time.
func (rig ChipRig) transmit(ctx context.Context, tb testing.TB, command []byte) ([]byte, error) {
	tb.Helper()
	var got []byte
	err := within(tb, patience, "talking to the chip", func() (err error) {
		got, err = rig.Reader.Transmit(ctx, command)
		return err
	})
	return got, err
}

// connect connects in time.
func (rig ChipRig) connect(tb testing.TB) {
	tb.Helper()
	if err := within(tb, patience, "connecting", func() error { return rig.Reader.Connect(tb.Context()) }); err != nil {
		tb.Errorf("connecting: %v", err)
	}
}

// answers wants status words.
func (rig ChipRig) answers(tb testing.TB) {
	tb.Helper()
	got, err := rig.transmit(tb.Context(), tb, selectMaster())
	if err != nil || len(got) < 2 {
		tb.Errorf("got %d bytes and %v, want status words at least", len(got), err)
	}
}

// gone wants that there is no conversation.
func (rig ChipRig) gone(tb testing.TB, what string) {
	tb.Helper()
	for range 2 {
		_, err := rig.transmit(tb.Context(), tb, selectMaster())
		wantKind(tb, what, err, devices.Gone)
	}
}

// hands skips where nobody can do it.
func hands(tb testing.TB, all ...func()) {
	tb.Helper()
	for _, h := range all {
		if h == nil {
			tb.Skip("SKIPPED: nobody can lay and take away documents here by program")
		}
	}
}

// meanwhile calls f and waits until it is under way.
func meanwhile(tb testing.TB, f func() error) <-chan error {
	tb.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	wait(tb, time.Second)
	return done
}

// comes waits for a call that was told to end.
func comes(tb testing.TB, what string, done <-chan error) error {
	tb.Helper()
	return within(tb, promptly, what, func() error { return <-done })
}

func chipAnswers(tb testing.TB, rig ChipRig) {
	rig.connect(tb)
	for range 2 {
		rig.answers(tb)
	}
}

func chipCommandKept(tb testing.TB, rig ChipRig) {
	rig.connect(tb)
	command := selectMaster()
	if _, err := rig.transmit(tb.Context(), tb, command); err != nil || !bytes.Equal(command, selectMaster()) {
		tb.Errorf("the command was written over, or failed: %v", err)
	}
}

func chipNotConnected(tb testing.TB, rig ChipRig) {
	rig.gone(tb, "before connecting")
	rig.connect(tb)
	rig.answers(tb)
}

func chipBeginsAnew(tb testing.TB, rig ChipRig) {
	if rig.Begun == nil {
		tb.Skip("SKIPPED: nobody knows when this chip begins anew")
	}
	for range 3 {
		before := rig.Begun()
		rig.connect(tb)
		if rig.Begun() == before {
			tb.Error("connecting did not reset the chip")
		}
		rig.answers(tb)
	}
}

func chipWaits(tb testing.TB, rig ChipRig) {
	hands(tb, rig.Remove, rig.Lay)
	rig.Remove()
	connected := meanwhile(tb, func() error { return rig.Reader.Connect(tb.Context()) })
	select {
	case err := <-connected:
		tb.Errorf("it connected to nothing: %v", err)
		return
	default:
	}
	rig.Lay()
	if err := within(tb, patience, "connecting", func() error { return <-connected }); err != nil {
		tb.Errorf("connecting to what was laid: %v", err)
	}
	rig.answers(tb)
}

func chipWaitEnds(tb testing.TB, rig ChipRig) {
	hands(tb, rig.Remove)
	rig.Remove()
	for range 2 {
		ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
		err := within(tb, time.Second+promptly, "waiting for a document", func() error { return rig.Reader.Connect(ctx) })
		wantKind(tb, "nothing was laid", err, devices.Cancelled)
		cancel()
	}
}

func endedChip(tb testing.TB, rig ChipRig) {
	rig.connect(tb)
	_, err := rig.transmit(gaveUp(tb), tb, selectMaster())
	wantKind(tb, "sending, the context had ended", err, devices.Cancelled)
	wantKind(tb, "connecting, the context had ended", rig.Reader.Connect(gaveUp(tb)), devices.Cancelled)
}

func removedCard(tb testing.TB, rig ChipRig) {
	hands(tb, rig.Remove)
	rig.connect(tb)
	rig.answers(tb)
	rig.Remove()
	rig.gone(tb, "without a document")
}

func removedStaysGone(tb testing.TB, rig ChipRig) {
	hands(tb, rig.Remove, rig.Lay)
	rig.connect(tb)
	rig.Remove()
	wait(tb, time.Second)
	rig.Lay()
	wait(tb, time.Second)
	rig.gone(tb, "laid there again")
	rig.connect(tb)
	rig.answers(tb)
}

func deafChip(tb testing.TB, rig ChipRig) {
	hands(tb, rig.Remove, rig.Lay, rig.LayDeaf)
	rig.LayDeaf()
	rig.connect(tb)
	ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
	defer cancel()
	err := within(tb, time.Second+promptly, "talking to a chip that does not answer", func() error {
		_, err := rig.Reader.Transmit(ctx, selectMaster())
		return err
	})
	wantKind(tb, "a chip that does not answer", err, devices.Cancelled)
	rig.gone(tb, "after giving up on a command")
	rig.Remove()
	wait(tb, time.Second)
	rig.Lay()
	rig.connect(tb)
	rig.answers(tb)
}

func removedWorking(tb testing.TB, rig ChipRig) {
	hands(tb, rig.Remove, rig.LayDeaf)
	rig.LayDeaf()
	rig.connect(tb)
	answered := meanwhile(tb, func() error {
		_, err := rig.Reader.Transmit(tb.Context(), selectMaster())
		return err
	})
	rig.Remove()
	wantKind(tb, "removed while the chip worked", comes(tb, "noticing it", answered), devices.Gone)
}

func secondChipUser(tb testing.TB, rig ChipRig) {
	hands(tb, rig.Remove)
	rig.Remove()
	ctx, cancel := context.WithCancel(tb.Context())
	first := meanwhile(tb, func() error { return rig.Reader.Connect(ctx) })
	wantKind(tb, "a second who connects", rig.Reader.Connect(tb.Context()), devices.InUse)
	_, err := rig.transmit(tb.Context(), tb, selectMaster())
	wantKind(tb, "a second who sends", err, devices.InUse)
	cancel()
	wantKind(tb, "the first", comes(tb, "ending the first", first), devices.Cancelled)
}

func chipParts(tb testing.TB, rig ChipRig) {
	part := func() {
		tb.Helper()
		if err := within(tb, patience, "disconnecting", func() error { return rig.Reader.Disconnect(tb.Context()) }); err != nil {
			tb.Errorf("disconnecting: %v", err)
		}
	}
	part()
	for range 2 {
		rig.connect(tb)
		rig.answers(tb)
		part()
		rig.gone(tb, "after disconnecting")
		part()
	}
}

func unpluggedChip(tb testing.TB, rig ChipRig) {
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull this reader out by program")
	}
	rig.connect(tb)
	rig.Unplug()
	wait(tb, time.Second)
	_, err := rig.transmit(tb.Context(), tb, selectMaster())
	wantKind(tb, "sending after unplugging", err, devices.Gone, devices.Missing)
	err = within(tb, promptly, "connecting after unplugging", func() error { return rig.Reader.Connect(tb.Context()) })
	wantKind(tb, "connecting after unplugging", err, devices.Gone, devices.Missing)
}

func unpluggedWaiting(tb testing.TB, rig ChipRig) {
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull this reader out by program")
	}
	hands(tb, rig.Remove)
	rig.Remove()
	connected := meanwhile(tb, func() error { return rig.Reader.Connect(tb.Context()) })
	rig.Unplug()
	wantKind(tb, "unplugged while waiting", comes(tb, "noticing it", connected), devices.Gone)
}
