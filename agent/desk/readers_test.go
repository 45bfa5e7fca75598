package desk_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// shelf is readers beside the cameras, with what lies on them.
type shelf struct {
	zones []devices.MRZ
	codes []devices.Symbol
	none  bool // of zones: there is no such reader
}

func (s shelf) Has(can devices.Capability, _ devices.Role) bool {
	return can != devices.CanReadMRZ || !s.none
}

func (s shelf) Zones(ctx context.Context) <-chan devices.MRZ    { return laid(ctx, s.zones) }
func (s shelf) Codes(ctx context.Context) <-chan devices.Symbol { return laid(ctx, s.codes) }

// laid gives things one after another, and is closed when ctx has ended.
func laid[T any](ctx context.Context, things []T) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for _, t := range things {
			select {
			case out <- t:
			case <-ctx.Done():
				return
			}
		}
		<-ctx.Done()
	}()
	return out
}

// zone is the zone of ICAO 9303-4 appendix B, whose document has expired.
func zone() devices.MRZ {
	return devices.MRZ{Lines: []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}}
}

// guidance collects what the screens are told.
func (r *room) guidance() func() []proof.Kind {
	var mu sync.Mutex
	var said []proof.Kind
	r.notify = func(e api.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == api.EventGuidance {
			said = append(said, e.Guidance)
		}
	}
	return func() []proof.Kind {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(said)
	}
}

// A reader of zones reads the document where the camera sees nothing, and where
// there is no camera at all; digits that disagree are guidance, no document.
func TestZoneByAReader(t *testing.T) {
	t.Parallel()
	wrong := zone()
	wrong.Lines = []string{wrong.Lines[0], "L898902C37UTO7408122F1204159ZE184226B<<<<<10"}
	for name, c := range map[string]struct {
		unplugged bool
		on        shelf
		read      bool
		says      proof.Kind
	}{
		"beside-a-camera":       {false, shelf{zones: []devices.MRZ{zone()}}, true, ""},
		"without-a-camera":      {true, shelf{zones: []devices.MRZ{zone()}}, true, ""},
		"wrong-then-right":      {true, shelf{zones: []devices.MRZ{wrong, zone()}}, true, proof.KindChecksFailed},
		"nothing-on-the-reader": {true, shelf{}, false, ""},
		"no-reader-either":      {true, shelf{none: true}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			said := r.guidance()
			blind := camera() // it sees an empty desk
			if c.unplugged {
				blind.Unplug()
			}
			r.document, r.readers = blind, c.on
			d := r.open()
			v := goTo(t, d, start(t, d), proof.CaptureDocument)
			v = say(t, d, v, api.Answer{Ask: proof.CaptureDocument})
			// That it was read shows in that it has expired.
			if got := v.Asks[0].Why == proof.DocExpired; got != c.read {
				t.Errorf("read by the reader: %t, want %t: %+v", got, c.read, v.Asks)
			}
			if c.says != "" && !slices.Contains(said(), c.says) {
				t.Errorf("the screens are told %q, want %q", said(), c.says)
			}
		})
	}
}

// cardSymbol is what a licence's PDF417 holds (AAMVA), of an invented person.
const cardSymbol = "@\n\x1e\rANSI 636000100002DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDBB06061986\nDBA12102034\nDCGUSA\r"

// A barcode reader fills in what a camera would; a code that tells nothing that is
// asked is not kept.
func TestCodeByAReader(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.readers = shelf{codes: []devices.Symbol{
		{Symbology: "Code128", Bytes: []byte("8910 0000 4417 2261")}, {Symbology: "PDF417", Bytes: []byte(cardSymbol)},
	}}
	d := r.withRoutes("")
	v := begin(t, d, proof.DrivingLicence)
	v = say(t, d, v, api.Answer{Ask: proof.ScanEvidence})
	if v.Prefill == nil || v.Prefill.Number == "" {
		t.Errorf("the fields are not filled in: %+v", v.Prefill)
	}
}
