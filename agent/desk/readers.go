package desk

import (
	"context"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// Readers are the readers beside the cameras. They read by themselves while a
// capture runs: whichever is quicker, reader or camera, ends it. The channels
// close some time after ctx has ended.
type Readers interface {
	Zones(ctx context.Context) <-chan devices.MRZ
	Codes(ctx context.Context) <-chan devices.Symbol
	// Has reports whether a device that can do something in a role is there and
	// well, now.
	Has(can devices.Capability, role devices.Role) bool
}

// has asks what is there; a desk that was not told takes it as given.
func (d *Desk) has(can devices.Capability, role devices.Role, untold bool) bool {
	if d.cfg.Readers == nil {
		return untold
	}
	return d.cfg.Readers.Has(can, role)
}

// zones are what readers of machine-readable zones read from now on.
func (d *Desk) zones(ctx context.Context) <-chan devices.MRZ {
	if d.cfg.Readers == nil {
		return nil
	}
	return d.cfg.Readers.Zones(ctx)
}

// codes are what barcode readers read from now on.
func (d *Desk) codes(ctx context.Context) <-chan devices.Symbol {
	if d.cfg.Readers == nil {
		return nil
	}
	return d.cfg.Readers.Codes(ctx)
}

// waiting says that no reader has read anything yet.
const waiting proof.Kind = "waiting"

// zoneRead takes what a reader has read, without waiting. A zone whose digits
// disagree is guidance: the document is laid on it once more.
func (d *Desk) zoneRead(zones <-chan devices.MRZ, today proof.Date) (proof.Fact, proof.Kind) {
	select {
	case zone, open := <-zones:
		if open {
			return zoneFact(zone, today)
		}
	default:
	}
	return nil, waiting
}

// zoneAwaited waits for a reader until the capture is over; without a good zone
// it ends as the camera did.
func (d *Desk) zoneAwaited(zones <-chan devices.MRZ, today proof.Date, camera proof.Kind) (proof.Fact, proof.Kind) {
	for zone := range zones {
		fact, kind := zoneFact(zone, today)
		if fact != nil {
			return fact, kind
		}
		d.cfg.Notify(api.Event{Kind: api.EventGuidance, Guidance: kind, Role: string(devices.DocumentCamera)})
	}
	return nil, camera
}

// zoneFact is a zone that a reader read, if its check digits agree.
func zoneFact(zone devices.MRZ, today proof.Date) (proof.Fact, proof.Kind) {
	lines, kind := entry.Lines(zone.Lines, today)
	if kind != proof.KindNone {
		return nil, kind
	}
	return proof.DocumentRead{Source: proof.FromReader, Lines: lines}, proof.KindNone
}

// codeRead takes a code that a reader has read, without waiting.
func codeRead(codes <-chan devices.Symbol) (proof.EvidenceScanned, bool) {
	select {
	case code, open := <-codes:
		return proof.EvidenceScanned{Symbology: code.Symbology, Text: string(code.Bytes)}, open
	default:
		return proof.EvidenceScanned{}, false
	}
}
