package desk

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/devices"
)

// decide records the result before anybody sees it.
func (d *Desk) decide(ctx context.Context) error {
	outcome := verdict.Decide(d.state, d.policy())
	return d.write(ctx, system(), proof.VisitDecided{Outcome: outcome})
}

// policy is the one that the visit began under, so that the opener, which goes by
// that, finds the same; a visit may be taken up by a newer program.
func (d *Desk) policy() *gpg45.Policy {
	if d.state.Visit.Policy == d.cfg.Policy.Version() {
		return d.cfg.Policy
	}
	if begun, err := gpg45.Load(d.state.Visit.Policy); err == nil {
		return begun
	}
	return d.cfg.Policy
}

// sealRecord packs, seals and enqueues the visit. If the counter dies between
// the queue and the draft's next event, doing it again finds the record.
func (d *Desk) sealRecord(ctx context.Context) error {
	parts, err := d.pack()
	if err != nil {
		return &proof.Error{Op: "packing the record", Kind: proof.KindInternal, Err: err}
	}
	var record [16]byte
	if n, err := hex.Decode(record[:], []byte(d.state.Visit.Record)); err != nil || n != len(record) {
		return &proof.Error{Op: "naming the record", Kind: proof.KindDraftDamaged}
	}
	ref, err := d.cfg.Recorder.Record(ctx, record, d.state.Visit.Training, parts)
	if err != nil {
		return err
	}
	return d.write(ctx, system(), proof.RecordQueued{Ref: ref})
}

// Widths to which pictures are shrunk that together are too large for a record,
// in pixels. A record with small pictures is worth more than none, and the visit
// could not be ended otherwise.
const (
	wideEvidence   = 1600
	narrowEvidence = 400
)

// pack packs the visit, with smaller pictures where it must be.
func (d *Desk) pack() ([]packet.Part, error) {
	parts, err := packet.Build(d.state, d.draft.Events(), d.whole)
	for width := wideEvidence; errors.Is(err, packet.ErrTooLarge) && width >= narrowEvidence; width /= 2 {
		parts, err = packet.Build(d.state, d.draft.Events(), func(id proof.PictureID) ([]byte, error) { return d.smaller(id, width) })
	}
	return parts, err
}

// smaller fetches a picture to pack, no wider than wanted. What cannot be made
// smaller is packed as it is.
func (d *Desk) smaller(id proof.PictureID, width int) ([]byte, error) {
	whole, err := d.whole(id)
	if err != nil {
		return nil, err
	}
	img, err := capture.Decode(whole)
	if err != nil {
		return whole, nil
	}
	if b, err := encode(shrink(img, width)); err == nil && len(b) < len(whole) {
		return b, nil
	}
	return whole, nil
}

// whole fetches a picture to pack. One that the disk has spoilt is left out, so
// that the visit is not lost with it; the opener sees that it is missing.
func (d *Desk) whole(id proof.PictureID) ([]byte, error) {
	b, err := d.draft.Picture(id)
	if proof.KindOf(err) == proof.KindDraftDamaged {
		return nil, nil
	}
	return b, err
}

// printWithin is how long a printer may take before the clerk is told.
const printWithin = 10 * time.Second

// printSlip prints what the patient takes home. That it failed is an event, so
// the clerk is told and may try again; the record is safe already.
func (d *Desk) printSlip(ctx context.Context) error {
	printing, end := context.WithTimeout(ctx, printWithin)
	defer end()
	err := d.cfg.Slips.Print(printing, d.state)
	made := proof.SlipMade{}
	if err != nil {
		made.Kind = DeviceKind(err)
	}
	return d.write(ctx, system(), made)
}

// endVisit closes a visit that nobody needs to look at any more.
func (d *Desk) endVisit(ctx context.Context) error {
	if err := d.write(ctx, system(), proof.VisitEnded{}); err != nil {
		return err
	}
	_, err := d.finish()
	return err
}

// finish erases the draft of a visit that has ended and keeps its view for the
// screen, without the person's data.
func (d *Desk) finish() (api.Visit, error) {
	last := d.view()
	last.Document, last.Face, last.Slip, last.People, last.Prefill, last.Letter = nil, nil, nil, nil, nil, nil
	err := d.draft.Erase()
	if err != nil {
		err = d.draft.Erase() // once more: the next start tries again too
	}
	d.draft, d.state, d.last = nil, route.State{}, &last
	return last, err
}

// DeviceKind is the Kind under which a person hears of a device's failure.
func DeviceKind(err error) proof.Kind {
	kinds := map[devices.Kind]proof.Kind{
		devices.Missing: proof.KindDeviceMissing, devices.Gone: proof.KindDeviceGone,
		devices.InUse: proof.KindDeviceBusy, devices.Permission: proof.KindDevicePermission,
		devices.Timeout: proof.KindDeviceTimeout, devices.Protocol: proof.KindDeviceProtocol,
		devices.Unsupported: proof.KindDeviceUnsupported, devices.PaperOut: proof.KindPaperOut,
		devices.CoverOpen: proof.KindCoverOpen, devices.Cancelled: proof.KindCancelled,
	}
	if k, ok := kinds[devices.KindOf(err)]; ok {
		return k
	}
	return proof.KindOf(err)
}

func itoa(n int) string { return strconv.Itoa(n) }
