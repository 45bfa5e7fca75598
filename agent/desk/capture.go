package desk

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/draft"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/ocr"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
)

// jpegQuality of the pictures that are kept; the reader still reads far worse.
const jpegQuality = 90

// filming is one run of a camera.
type filming struct {
	stop context.CancelFunc
	by   proof.OperatorID // whoever started it
}

// stopFilming ends the run of a camera, if there is one, and drops what it finds.
// The visit goes on at once, also where a camera does not stop. d.mu is held.
func (d *Desk) stopFilming() {
	if d.films != nil {
		d.films.stop()
		d.films = nil
	}
}

// capture runs a camera for one ask until a frame is good, the person cancels
// or the time is over. The desk is not locked while the camera runs, so the
// screens can read the visit and end the capture.
func (d *Desk) capture(ctx context.Context, op proof.Operator, a api.Answer) (api.Visit, error) {
	ctx, run, err := d.beginCapture(ctx, op, a)
	if err != nil {
		return d.current(), err
	}
	defer d.endCapture(run) // also where a frame makes the program panic
	var fact proof.Fact
	var pictures []draft.Picture
	switch a.Ask {
	case proof.CaptureDocument:
		fact, pictures = d.filmDocument(ctx)
	case proof.ScanEvidence:
		fact, pictures = d.filmEvidence(ctx)
	case proof.ReadChip:
		fact, pictures = d.readChip(ctx, a.CAN)
	default:
		fact, pictures = d.filmFace(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	run.stop()
	if d.films != run {
		return d.view(), &proof.Error{Op: "capturing", Kind: proof.KindCancelled}
	}
	d.films = nil
	if err := d.write(context.WithoutCancel(ctx), person(op), fact, pictures...); err != nil {
		return d.view(), err
	}
	ctx = context.WithoutCancel(ctx)
	return d.viewAfter(d.goOn(ctx))
}

// beginCapture checks that the capture is asked for and marks it as running.
// The caller's going away does not end it: its result is for the visit.
func (d *Desk) beginCapture(ctx context.Context, op proof.Operator, a api.Answer) (context.Context, *filming, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ready(op, a); err != nil {
		return nil, nil, err
	}
	if !d.asks(a.Ask) {
		return nil, nil, &proof.Error{Op: "capturing", Kind: proof.KindAskNotOpen}
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), d.cfg.Capture)
	d.films = &filming{stop, op.ID}
	d.preview.of(op.ID)
	return ctx, d.films, nil
}

// endCapture leaves this capture not marked as running. Another one may have
// begun meanwhile: it is left alone.
func (d *Desk) endCapture(run *filming) {
	d.mu.Lock()
	defer d.mu.Unlock()
	run.stop()
	if d.films == run {
		d.films = nil
	}
}

// cancel ends the capture that is running, if it is this operator's; without one
// it changes nothing.
func (d *Desk) cancel(op proof.Operator) (api.Visit, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.films != nil && d.films.by == op.ID {
		d.stopFilming()
	}
	return d.view(), nil
}

// current is the visit as it stands.
func (d *Desk) current() api.Visit {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.view()
}

// film shows every frame to look until it has seen enough, and passes guidance
// on when it changes. It gives the Kind under which the film ended: KindNone
// when look was content.
func (d *Desk) film(ctx context.Context, role devices.Role, look func(image.Image, []byte) (proof.Kind, bool)) proof.Kind {
	last := proof.KindDeviceTimeout
	said, done := proof.Kind("nothing yet"), false
	err := d.cfg.Cameras.Camera(role).Frames(ctx, func(f devices.Frame) bool {
		img, err := capture.Decode(f.JPEG)
		if err != nil {
			last = proof.KindOf(err)
			return ctx.Err() == nil
		}
		d.preview.show(img)
		last, done = look(img, f.JPEG)
		if last != said {
			said = last
			d.cfg.Notify(api.Event{Kind: api.EventGuidance, Guidance: last, Role: string(role)})
		}
		return !done && ctx.Err() == nil
	})
	switch {
	case done:
		return proof.KindNone
	case ctx.Err() != nil || err == nil:
		return last
	}
	return DeviceKind(err)
}

// maxKept bounds a picture that is kept, in bytes, so that all those of a visit
// fit into a record.
const maxKept = 4 << 20

// kept is a frame as it is kept: as it came, or made smaller where it is so large
// that a record could not hold it.
func kept(img image.Image, raw []byte) []byte {
	if len(raw) <= maxKept {
		return raw
	}
	b, err := encode(shrink(img, keptWidth))
	if err != nil {
		return raw[:0]
	}
	return b
}

// keptWidth is the width to which too large a frame is shrunk.
const keptWidth = 2048

// filmDocument looks for a document until two frames were read alike.
func (d *Desk) filmDocument(ctx context.Context) (proof.Fact, []draft.Picture) {
	today := route.Today(d.cfg.Now())
	var tracker capture.Tracker
	var found *reading
	var quicker proof.Fact // by a reader of zones
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	zones := d.zones(ctx)
	kind := d.film(ctx, devices.DocumentCamera, func(img image.Image, raw []byte) (proof.Kind, bool) {
		var verdict capture.Verdict
		if fact, kind := d.zoneRead(zones, today); kind != waiting {
			quicker = fact
			return kind, fact != nil
		}
		tracker, verdict = tracker.See(capture.Judge(img, capture.AnyDocument))
		read := d.cfg.Reader.Read(img, today)
		if !read.Accepted {
			return refused(verdict, read), false
		}
		tracker = tracker.Read(read.Lines, read.Score)
		lines := tracker.Agreed()
		if lines == nil {
			return proof.KindHoldStill, false
		}
		found = &reading{lines, read, img, raw}
		return proof.KindNone, true
	})
	if found == nil && quicker == nil && d.has(devices.CanReadMRZ, devices.AnyRole, false) {
		quicker, kind = d.zoneAwaited(zones, today, kind) // there is no camera, or none that works
	}
	switch {
	case quicker != nil:
		return quicker, nil
	case found == nil:
		return proof.DocumentFailed{Kind: kind}, nil
	}
	return d.documentFact(*found)
}

// reading is an agreed reading and the frame of its second half.
type reading struct {
	lines []string
	read  ocr.Reading
	img   image.Image
	raw   []byte
}

// refused says the one thing to change: the picture's fault first; where the
// picture is good, that no zone was found or that its digits disagree.
func refused(v capture.Verdict, r ocr.Reading) proof.Kind {
	switch {
	case v.Guidance != capture.OK && v.Guidance != capture.HoldStill:
		return v.Guidance.Kind()
	case len(r.Lines) > 0 && len(r.Document.FailingChecks()) > 0:
		return proof.KindChecksFailed
	}
	return proof.KindNoMRZ
}

// documentFact names the pictures and cuts the portrait out. A page without a
// portrait still counts; the comparison is then by eye.
func (d *Desk) documentFact(r reading) (proof.Fact, []draft.Picture) {
	n := d.nextPicture()
	page := draft.Picture{ID: proof.PictureID("page-" + n), JPEG: kept(r.img, r.raw)}
	fact := proof.DocumentRead{Source: proof.FromCamera, Lines: r.lines, Score: r.read.Score, Page: page.ID}
	pictures := []draft.Picture{page}
	if cut, ok := ocr.Portrait(r.img, r.read); ok {
		if b, err := encode(cut); err == nil {
			fact.Portrait = proof.PictureID("portrait-" + n)
			pictures = append(pictures, draft.Picture{ID: fact.Portrait, JPEG: b})
		}
	}
	return fact, pictures
}

// steadyFrames is how many good frames in a row make a picture of a document
// that has no code to read.
const steadyFrames = 5

// filmEvidence looks for a bar code that tells what is asked, and takes a steady
// picture where there is none. What a code tells only fills in fields that the
// clerk confirms. Other codes, such as the one on a bill that holds a whole
// account number, are not kept.
func (d *Desk) filmEvidence(ctx context.Context) (proof.Fact, []draft.Picture) {
	var tracker capture.Tracker
	var fact proof.EvidenceScanned
	var page []byte
	tells := d.telling()
	steady := 0
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	codes := d.codes(ctx)
	kind := d.film(ctx, devices.DocumentCamera, func(img image.Image, raw []byte) (proof.Kind, bool) {
		if scan, read := codeRead(codes); read && tells(scan) {
			fact, page = scan, kept(img, raw)
			return proof.KindNone, true
		}
		if d.cfg.Symbols != nil {
			found := d.cfg.Symbols(img)
			if i := slices.IndexFunc(found, tells); i >= 0 {
				fact, page = found[i], kept(img, raw)
				return proof.KindNone, true
			}
		}
		var verdict capture.Verdict
		tracker, verdict = tracker.See(capture.Judge(img, capture.AnyDocument))
		if steady++; verdict.Guidance != capture.OK {
			steady = 0
			return verdict.Guidance.Kind(), false
		}
		page = kept(img, raw)
		return proof.KindHoldStill, steady >= steadyFrames
	})
	if kind != proof.KindNone {
		return proof.DocumentFailed{Kind: kind}, nil
	}
	picture := draft.Picture{ID: proof.PictureID("page-" + d.nextPicture()), JPEG: page}
	fact.Page = picture.ID
	return fact, []draft.Picture{picture}
}

// telling judges whether a code tells what is asked now: the fields of the piece
// in hand, or without one the codes of a practice's letter.
func (d *Desk) telling() func(proof.EvidenceScanned) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	piece, today := d.state.Of(route.Turn(d.state)).Chosen.Form != "", d.state.Today()
	return func(scan proof.EvidenceScanned) bool {
		fields, letter := false, false
		if piece {
			_, fields = entry.Prefill(scan, today)
		} else {
			_, letter = entry.PracticeCode(scan.Text)
		}
		return len(scan.Text) <= maxSymbol && (fields || letter)
	}
}

// maxSymbol bounds the text of a bar code, in bytes; a PDF417 holds 1,850
// characters at most (ISO/IEC 15438).
const maxSymbol = 4096

// filmFace looks at the patient until one face is good enough to compare.
func (d *Desk) filmFace(ctx context.Context) (proof.Fact, []draft.Picture) {
	var good []byte
	var broken error
	kind := d.film(ctx, devices.FaceCamera, func(img image.Image, raw []byte) (proof.Kind, bool) {
		kind, err := d.cfg.Matcher.Look(img)
		if err != nil {
			broken = err
			return proof.KindOf(err), true
		}
		if kind == proof.KindNone {
			good = kept(img, raw)
		}
		return kind, kind == proof.KindNone
	})
	if broken != nil {
		return proof.FaceFailed{Kind: proof.KindOf(broken)}, nil
	}
	if good == nil {
		return proof.FaceFailed{Kind: kind}, nil
	}
	live := draft.Picture{ID: proof.PictureID("live-" + d.nextPicture()), JPEG: good}
	return proof.FaceTaken{Picture: live.ID}, []draft.Picture{live}
}

// nextPicture numbers pictures by the event that will name them, so that no two
// of a visit are the same.
func (d *Desk) nextPicture() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return itoa(d.state.Seq + 1)
}

// keyed takes lines that the clerk typed. Digits that disagree are told at once,
// before anything is recorded: it was a slip of the finger.
func (d *Desk) keyed(a api.Answer) (proof.Fact, error) {
	lines, kind := entry.Lines(a.Lines, d.state.Today())
	if kind != proof.KindNone {
		return nil, &proof.Error{Op: "keying a document", Kind: kind}
	}
	return proof.DocumentRead{Source: proof.FromKeys, Lines: lines}, nil
}

// compareFaces lets the machine compare portrait and live face, if the patient
// agreed to it. It runs under the desk's lock: it takes some 50 ms.
func (d *Desk) compareFaces(ctx context.Context) error {
	if d.state.Of(route.Turn(d.state)).Face != route.Given {
		return &proof.Error{Op: "comparing faces", Kind: proof.KindNoConsent}
	}
	fact := d.compared()
	return d.write(ctx, system(), fact)
}

// compared asks the matcher; what goes wrong is a fact too.
func (d *Desk) compared() proof.Fact {
	who := d.state.Of(route.Turn(d.state))
	portrait, err := d.decoded(who.Portrait())
	if err != nil {
		return proof.CompareFailed{Kind: proof.KindOf(err)}
	}
	live, err := d.decoded(who.Live)
	if err != nil {
		return proof.CompareFailed{Kind: proof.KindOf(err)}
	}
	result, err := d.cfg.Matcher.Compare(d.state.Seq, portrait, live)
	if err != nil {
		return proof.CompareFailed{Kind: proof.KindOf(err)}
	}
	result.Portrait, result.Live = who.Portrait(), who.Live
	return result
}

// decoded fetches a picture of the draft as pixels.
func (d *Desk) decoded(id proof.PictureID) (image.Image, error) {
	b, err := d.draft.Picture(id)
	if err != nil {
		return nil, err
	}
	return capture.Decode(b)
}

// encode writes a picture as JPEG.
func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
