package desk

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
)

// decide records the result before anybody sees it.
func (d *Desk) decide(ctx context.Context) error {
	outcome := route.Decide(d.state, d.cfg.Policy)
	return d.write(ctx, system(), proof.VisitDecided{Outcome: outcome})
}

// sealRecord packs, seals and enqueues the visit. If the counter dies between
// the queue and the draft's next event, doing it again finds the record.
func (d *Desk) sealRecord(ctx context.Context) error {
	parts, err := packet.Build(d.state, d.draft.Events(), d.draft.Picture)
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

// printSlip prints what the patient takes home. That it failed is an event, so
// the clerk is told and may try again; the record is safe already.
func (d *Desk) printSlip(ctx context.Context) error {
	err := d.cfg.Slips.Print(ctx, d.state)
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
	last.Document, last.Face, last.Slip = nil, nil, nil
	err := d.draft.Erase()
	d.draft, d.state, d.last = nil, route.State{}, &last
	return last, err
}

// view folds the visit for a screen. d.mu is held.
func (d *Desk) view() api.Visit {
	s := d.state
	v := api.Visit{
		ID: s.Visit.Case, Route: s.Visit.Route, Language: s.Visit.Language, Events: s.Seq, Operator: s.Operator,
		Training: s.Visit.Training, Asks: route.Asks(s), Outcome: s.Outcome, Ref: s.Ref, Ended: s.Ended,
	}
	if s.Document != nil {
		v.Document = d.documentView(s)
	}
	if s.Live != "" || s.Person != nil {
		v.Face = faceView(s)
	}
	if s.Ref != "" {
		v.Slip = &api.Slip{Lines: d.cfg.Slips.Lines(s)}
		if s.Slip != nil {
			v.Slip.Printed, v.Slip.Problem = s.Slip.Kind == "", s.Slip.Kind
		}
	}
	return v
}

// documentView shows what was read and what to look for on the original.
func (d *Desk) documentView(s route.State) *api.Document {
	f := s.Document.MRZ.Fields
	return &api.Document{
		Source: s.Document.Source, Format: string(s.Document.MRZ.Format), Type: s.EvidenceType(),
		Issuer: f.IssuingState, Number: f.DocumentNumber, Person: s.Claimed(), Expiry: f.ExpiryDate,
		Lines: s.Document.MRZ.Lines, Page: s.Document.Page, Portrait: s.Document.Portrait,
		Features: d.cfg.Policy.Features(s.EvidenceType()), Examined: s.Exam != nil,
	}
}

// faceView shows how the comparison stands.
func faceView(s route.State) *api.Face {
	v := &api.Face{Live: s.Live}
	if s.Machine != nil {
		v.Decision, v.Score = s.Machine.Decision, s.Machine.Score
	}
	if s.Person != nil {
		v.Clerk = s.Person.Answer
	}
	return v
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

// typedLines tidies what a clerk typed and checks it: spaces go, small letters
// grow, and the digits must agree.
func typedLines(typed []string, today proof.Date) ([]string, proof.Kind) {
	var lines []string
	for _, l := range typed[:min(len(typed), 4)] {
		l = strings.ToUpper(strings.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, clip(l, 120)))
		if l != "" {
			lines = append(lines, l)
		}
	}
	doc := mrz.Parse(lines, today)
	switch {
	case doc.Format == mrz.Unknown:
		return nil, proof.KindNoMRZ
	case len(doc.FailingChecks()) > 0:
		return nil, proof.KindChecksFailed
	}
	return lines, proof.KindNone
}

func itoa(n int) string { return strconv.Itoa(n) }
