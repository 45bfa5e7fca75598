// Package emrtd reads the chip of a document that lies on a reader (an electronic
// machine-readable travel document, ICAO Doc 9303-10) and says what it is worth: it
// puts the reader, the protocols of package chip, the trust of package trust and
// the pictures of package jp2 together.
//
// It has no rules of its own: what is genuine trust decides, what that scores the
// policy does, and whether the chip is of this document the route.
//
// # The laws
//
//   - What was read stays in memory, until it is handed over or the reading ends.
//   - A document that was taken away too early goes on where it stopped, if the
//     same chip lies there again; nothing that it gave before is asked twice.
//   - A chip that does not prove itself is told as that, never as one that was not
//     read.
//   - Only a portrait that a trusted state signed is opened: whoever forges a chip
//     shall not choose what decoders are fed with.
//   - Errors and logs hold nothing that was read.
package emrtd

import (
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/lds"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/jp2"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// Config is what a Reader works with. All fields are needed.
type Config struct {
	Device devices.ChipReader
	Store  func() *trust.Store // what to trust now; nil is nothing
	Random io.Reader
	Now    func() time.Time
}

// Reader reads the chips of documents, one at a time.
type Reader struct{ cfg Config }

// New makes a Reader.
func New(cfg Config) *Reader { return &Reader{cfg} }

// Told is what a chip told and what it is worth. Fact names neither portrait nor
// files yet.
type Told struct {
	Fact     proof.ChipRead
	Verdict  trust.Verdict
	Commands int         // how many the chip took
	Portrait image.Image // nil where there is none that can be shown
	Packed   []byte      // the files, for whoever judges again (Unpack)
}

// Key opens a chip.
type Key = chip.Key

// Progress hears how a reading goes: KindHoldChip with how far it is, in percent,
// KindChipMoved where the document was taken away. It must not block.
type Progress func(kind proof.Kind, percent int)

// Laid is how often a document may be laid on the reader for one reading.
const Laid = 3

// goodbye is how long letting go of a chip may take.
const goodbye = time.Second

// Read waits for the document, reads it and judges it. Its errors carry the Kind
// to show.
func (r *Reader) Read(ctx context.Context, key Key, progress Progress) (Told, error) {
	defer func() {
		ctx, end := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer end()
		_ = r.cfg.Device.Disconnect(ctx) // the document may be gone, which is as good
	}()
	wish := chip.Config{
		Send: r.cfg.Device.Transmit, Key: key, Random: r.cfg.Random, Want: []chip.File{chip.DG1, chip.DG2},
		Progress: func(f chip.File, done, total int) { progress(proof.KindHoldChip, percent(f, done, total)) },
	}
	for laid := 1; ; laid++ {
		if err := r.cfg.Device.Connect(ctx); err != nil {
			return Told{}, connectError(err)
		}
		got, err := chip.Read(ctx, wish)
		wish.Resume = got.Files
		fault := devices.KindOf(err)
		switch {
		case err == nil, errors.Is(err, chip.ErrClone):
			return r.told(ctx, got)
		case ctx.Err() != nil || laid == Laid:
			return Told{}, readError(err)
		case fault == devices.Gone:
			progress(proof.KindChipMoved, 0)
		case fault == devices.Timeout && !wish.Short: // some fall silent over a long command
			wish.Short = true
		default:
			return Told{}, readError(err)
		}
	}
}

// percent is how far a reading is. The portrait is nearly all of it.
func percent(f chip.File, done, total int) int {
	const portrait = 20
	switch f {
	case chip.DG2:
		return portrait + (100-portrait)*done/max(total, 1)
	case chip.DG1:
		return portrait
	}
	return portrait / 2
}

// connectError says why no document was there.
func connectError(err error) error {
	const op = "waiting for a document"
	switch devices.KindOf(err) {
	case devices.Cancelled, devices.Timeout:
		return &proof.Error{Op: op, Kind: proof.KindNoChip, Err: err}
	}
	return err
}

// readError says why a chip was not read.
func readError(err error) error {
	const op = "reading a chip"
	kind := proof.KindChipUnread
	switch fault := devices.KindOf(err); {
	case errors.Is(err, chip.ErrAuthentic): // also where the wrong answer came for a key
	case errors.Is(err, chip.ErrKey):
		kind = proof.KindChipKey
	case errors.Is(err, chip.ErrDowngrade):
		kind = proof.KindChipDowngrade
	case fault == devices.Gone:
		kind = proof.KindChipMoved
	case fault == devices.Cancelled, fault == devices.Timeout:
		kind = proof.KindDeviceTimeout
	case fault != devices.KindNone:
		return err
	}
	return &proof.Error{Op: op, Kind: kind, Err: err}
}

// told judges what was read and opens the portrait.
func (r *Reader) told(ctx context.Context, got chip.Reading) (Told, error) {
	now := r.cfg.Now()
	evidence := Evidence{Way: got.Way, Downgraded: got.Downgraded, Proof: got.Proof, Files: got.Files, At: now}
	told := Told{Commands: got.Commands, Packed: evidence.Pack()}
	var err error
	if told.Fact, told.Verdict, err = evidence.Judge(r.cfg.Store()); err != nil {
		return told, err
	}
	if told.Fact.Verdict == proof.ChipGenuine && told.Fact.Clone != proof.CloneFailed {
		told.Portrait = portrait(ctx, got.Files[chip.DG2])
	}
	return told, nil
}

// portrait opens the portrait of DG2, nil where there is none, or none that opens.
// One that is not whole is none: it would be compared with a face.
func portrait(ctx context.Context, file []byte) image.Image {
	if len(file) == 0 {
		return nil
	}
	face, err := lds.Face(file)
	if err != nil {
		slog.Warn("the chip's portrait does not open", "err", err.Error())
		return nil
	}
	opened, err := jp2.Portrait(ctx, face.Picture, jp2.Limits{})
	if err != nil || opened.Partial {
		slog.Warn("the chip's portrait does not open", "kind", string(proof.KindOf(err)))
		return nil
	}
	return opened.Image
}
