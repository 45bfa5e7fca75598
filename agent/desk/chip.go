package desk

import (
	"context"
	"image"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/draft"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
)

// Chips reads and judges the chip of the document that lies on a reader.
type Chips interface {
	// ReadChip waits for the document, opens its chip, reads it and says what it
	// is worth. Its errors carry the Kind to show. progress hears KindHoldChip with
	// how far it is, in percent, or what is to be changed; it must not block.
	ReadChip(ctx context.Context, key ChipKey, progress func(kind proof.Kind, percent int)) (ChipTold, error)
}

// ChipKey opens a chip (ICAO 9303-11 §9.7).
type ChipKey struct {
	MRZInformation string // of the zone that was read
	CAN            string // the card access number, where it was typed
}

// ChipTold is what a chip told. Fact has neither portrait nor files yet.
type ChipTold struct {
	Fact     proof.ChipRead
	Portrait image.Image // nil where there is none that can be shown
	Files    []byte      // as read, for whoever judges again
}

// chipRole is what the chip reader is called where guidance is about it.
const chipRole = "chip_reader"

// readChip reads the chip of the document in hand.
func (d *Desk) readChip(ctx context.Context, can string) (proof.Fact, []draft.Picture) {
	if d.cfg.Chips == nil {
		return proof.ChipFailed{Kind: proof.KindDeviceMissing}, nil
	}
	key := ChipKey{CAN: can}
	d.mu.Lock()
	if doc := d.state.Of(route.Turn(d.state)).Document; doc != nil {
		key.MRZInformation = doc.MRZ.Fields.MRZInformation
	}
	d.mu.Unlock()
	var said api.Event
	told, err := d.cfg.Chips.ReadChip(ctx, key, func(kind proof.Kind, percent int) {
		now := api.Event{Kind: api.EventGuidance, Guidance: kind, Role: chipRole, Percent: percent}
		if now.Guidance != said.Guidance || now.Percent != said.Percent {
			said = now
			d.cfg.Notify(now)
		}
	})
	if err != nil {
		return proof.ChipFailed{Kind: DeviceKind(err)}, nil
	}
	return d.chipFact(told)
}

// chipFact names the portrait and the files.
func (d *Desk) chipFact(told ChipTold) (proof.Fact, []draft.Picture) {
	n, fact := d.nextPicture(), told.Fact
	var pictures []draft.Picture
	if told.Portrait != nil {
		if b, err := encode(told.Portrait); err == nil {
			fact.Portrait = proof.PictureID("portrait-" + n)
			pictures = append(pictures, draft.Picture{ID: fact.Portrait, JPEG: b})
		}
	}
	if len(told.Files) > 0 {
		fact.Files = proof.PictureID("chip-" + n)
		pictures = append(pictures, draft.Picture{ID: fact.Files, JPEG: told.Files})
	}
	return fact, pictures
}

// hasChips reports whether chips can be read here, now.
func (d *Desk) hasChips() bool {
	return d.cfg.Chips != nil && d.has(devices.CanReadChip, devices.AnyRole, true)
}

// chipView shows what a chip came to, nil where none was read.
func chipView(p route.Piece) *api.Chip {
	c := p.Chip
	if c == nil {
		return nil
	}
	return &api.Chip{
		Verdict: c.Verdict, Clone: c.Clone, Revocation: c.Revocation, Access: c.Access, Downgraded: c.Downgraded, Trust: c.Trust,
		Differs: p.Document != nil && p.Document.Printed != nil,
	}
}
