package desk_test

import (
	"context"
	"image"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
)

// passportChip is a reader with the chip of these tests' passport on it.
type passportChip struct {
	mu    sync.Mutex
	keys  []desk.ChipKey
	told  desk.ChipTold
	fails error
	waits bool // nothing is laid on it
}

func (c *passportChip) ReadChip(ctx context.Context, key desk.ChipKey, progress func(proof.Kind, int)) (desk.ChipTold, error) {
	c.mu.Lock()
	c.keys = append(c.keys, key)
	c.mu.Unlock()
	if c.waits {
		<-ctx.Done()
		return desk.ChipTold{}, &proof.Error{Op: "waiting", Kind: proof.KindNoChip, Err: ctx.Err()}
	}
	for _, percent := range []int{0, 40, 40, 100} {
		progress(proof.KindHoldChip, percent)
	}
	return c.told, c.fails
}

// genuine is the chip of the document that lies under the camera of a room.
func genuine() *passportChip {
	fact := proof.ChipRead{
		Verdict: proof.ChipGenuine, Revocation: proof.RevocationGood, Clone: proof.CloneExcluded, Access: "PACE",
		Lines: printed,
	}
	return &passportChip{told: desk.ChipTold{Fact: fact, Portrait: image.NewGray(image.Rect(0, 0, 40, 50)), Files: []byte("the files of a chip")}}
}

// TestAVisitWithAChip holds that a chip that is genuine lifts a visit to medium,
// that its portrait is compared, and that its files travel in a part of their own.
func TestAVisitWithAChip(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	chip := genuine()
	r.chips = chip
	var percents []int
	r.notify = func(e api.Event) {
		if e.Guidance == proof.KindHoldChip && e.Role == "chip_reader" {
			percents = append(percents, e.Percent)
		}
	}
	d := r.open()
	v := goTo(t, d, start(t, d), proof.ExamineDocument)
	if v.Document.Chip == nil || v.Document.Chip.Verdict != proof.ChipGenuine || v.Document.Portrait == "" {
		t.Fatalf("the screen shows the chip %+v", v.Document.Chip)
	}
	if !slices.Equal(percents, []int{0, 40, 100}) {
		t.Errorf("told of %v percent", percents)
	}
	if want := mrz.Parse(printed, route.Today(time.Now())).Fields.MRZInformation; len(chip.keys) != 1 || chip.keys[0].MRZInformation != want {
		t.Errorf("the chip was opened with %+v, want %s", chip.keys, want)
	}
	v = goTo(t, d, v, proof.ConfirmResult)
	if v.Outcome.Profile != "M1C" || v.Outcome.NHS != proof.P9 {
		t.Errorf("the visit comes to %s, NHS %s: %+v", v.Outcome.Profile, v.Outcome.NHS, v.Outcome.Reasons)
	}
	goTo(t, d, v, proof.EndVisit)
	for _, parts := range r.records {
		read, err := packet.Read(parts)
		if err != nil || len(read.Chips) != 1 || string(read.Chips[0].JPEG) != "the files of a chip" {
			t.Errorf("the record has the chips %v: %v", read.Chips, err)
		}
	}
}

// TestAChipThatIsNotRead holds that whatever keeps a chip from being read is said,
// and that the visit goes on without it.
func TestAChipThatIsNotRead(t *testing.T) {
	t.Parallel()
	for rule, c := range map[string]struct {
		chip *passportChip
		want proof.Kind
	}{
		"it left the reader":   {&passportChip{fails: &proof.Error{Op: "reading", Kind: proof.KindChipMoved}}, proof.KindChipMoved},
		"another one's key":    {&passportChip{fails: &proof.Error{Op: "reading", Kind: proof.KindChipKey}}, proof.KindChipKey},
		"the reader is gone":   {&passportChip{fails: &devices.Fault{Kind: devices.Gone}}, proof.KindDeviceGone},
		"nothing lies on it":   {&passportChip{waits: true}, proof.KindNoChip},
		"no reader after all":  {nil, proof.KindDeviceMissing},
		"taken by another one": {&passportChip{fails: &devices.Fault{Kind: devices.InUse}}, proof.KindDeviceBusy},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.chips = genuine()
			d := r.open()
			v := goTo(t, d, start(t, d), proof.ReadChip)
			r.chips, r.capture = nil, 300*time.Millisecond
			if c.chip != nil {
				r.chips = c.chip
			}
			d = r.open() // the counter was started again meanwhile
			v, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.ReadChip})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(v.Asks, func(a proof.Ask) bool { return a.Kind == proof.ReadChip })
			if i < 0 || v.Asks[i].Problem != c.want {
				t.Fatalf("asks %+v, want the problem %s", v.Asks, c.want)
			}
			v, err = d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.ExamineDocument,
				Exam: &api.Examination{Original: true, Details: proof.Agree, Features: v.Document.Features}})
			if err != nil {
				t.Fatalf("going on without the chip: %v", err)
			}
			if v = goTo(t, d, v, proof.ConfirmResult); v.Outcome.Profile != "L1B" {
				t.Errorf("without the chip the visit comes to %s", v.Outcome.Profile)
			}
		})
	}
}

// TestAChipThatIsCancelled holds that reading ends at the clerk's word and leaves
// nothing behind.
func TestAChipThatIsCancelled(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	chip := &passportChip{waits: true}
	r.chips = chip
	d := r.open()
	v := goTo(t, d, start(t, d), proof.ReadChip)
	done := make(chan error)
	go func() {
		_, err := d.Answer(t.Context(), robin, api.Answer{Seen: v.Events, Ask: proof.ReadChip})
		done <- err
	}()
	for begun := false; !begun; {
		chip.mu.Lock()
		begun = len(chip.keys) > 0
		chip.mu.Unlock()
	}
	if _, err := d.Answer(t.Context(), robin, api.Answer{Ask: proof.ReadChip, Do: api.DoCancel}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; proof.KindOf(err) != proof.KindCancelled {
		t.Errorf("reading ended with %v", err)
	}
	if now, err := d.Visit(); err != nil || now.Events != v.Events {
		t.Errorf("a reading that was cancelled left event %d: %v", now.Events, err)
	}
}
