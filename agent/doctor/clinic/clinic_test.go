package clinic_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/doctor/clinic"
	"github.com/counterproof/counterproof/agent/doctor/look"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
	"github.com/counterproof/counterproof/devices/sim"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// desk is a counter of simulated devices.
type desk struct {
	*clinic.Clinic
	hub     *hub.Hub
	camera  *sim.Camera
	scene   *sim.Scene
	reader  *sim.MRZReader
	other   *sim.MRZReader
	chips   *sim.ChipReader
	printer *sim.Printer
	slips   string
}

// gray is a picture of one brightness.
func gray(t *testing.T, level uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 320, 240))
	for i := range img.Pix {
		img.Pix[i] = level
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// open runs a desk until the test ends.
func open(t *testing.T, waits time.Duration) *desk {
	t.Helper()
	d := &desk{
		scene: &sim.Scene{}, slips: t.TempDir(), reader: sim.NewMRZReader(sim.ReaderConfig{ID: "sim:left", Name: "Left reader"}),
		other: sim.NewMRZReader(sim.ReaderConfig{ID: "sim:right", Name: "Right reader"}), chips: sim.NewChipReader(sim.ReaderConfig{}),
	}
	d.camera = sim.NewCamera(sim.CameraConfig{ID: "sim:camera", Roles: []devices.Role{devices.DocumentCamera}, Pictures: d.scene.Picture, Rate: 25})
	d.printer = sim.NewPrinter(sim.PrinterConfig{Folder: d.slips, Roles: []devices.Role{devices.SlipPrinter}, Accepts: []devices.JobKind{devices.Text}})
	page := sim.NewScanner(sim.ScannerConfig{})
	d.hub = hub.New(hub.Config{
		Sources: []hub.Source{sim.NewBench(d.camera, d.reader, d.other, d.chips, d.printer, page)}, Training: true,
		Log: slog.New(slog.DiscardHandler),
	})
	none := filepath.Join(t.TempDir(), "none")
	d.Clinic = clinic.New(clinic.Config{
		Hub: d.hub, Patience: waits,
		PC:       look.PC{Sys: none, Dev: none, Proc: none, Run: none, Etc: none, Lib: none},
		Standing: func() api.Status { return api.Status{Version: "0.1.0", Site: "FV123", Enrolled: true} },
	})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = d.hub.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	d.until(t, "all devices are ready", func() bool {
		n := 0
		for _, about := range d.hub.Devices() {
			if about.State == devices.Ready {
				n++
			}
		}
		return n == 6
	})
	return d
}

// until waits until the answer is yes.
func (d *desk) until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !yes(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited %s until %s: %+v", patience, what, d.hub.Devices())
		}
	}
}

// try tries a device.
func (d *desk) try(t *testing.T, id string, can devices.Capability) api.TrialResult {
	t.Helper()
	got, err := d.Try(t.Context(), api.Trial{Device: id, Can: string(can)})
	if err != nil {
		t.Fatalf("trying %s: %v", id, err)
	}
	return got
}

// codes are what a checkup finds, without what concerns the machine of the test.
func (d *desk) codes(t *testing.T) (all []string) {
	t.Helper()
	for _, f := range d.Checkup(t.Context(), time.Now()).Findings {
		if f.Code != api.ClockLoose {
			all = append(all, string(f.Code))
		}
	}
	return all
}

func TestACheckupOfAHealthyDesk(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	c := d.Checkup(t.Context(), time.Now())
	if got := d.codes(t); len(got) != 0 || len(c.Devices) != 6 || c.Site != "FV123" || c.Version != "0.1.0" {
		t.Errorf("found %v in %+v", got, c)
	}
	for _, told := range c.Devices {
		if told.State != "ready" || !told.Training || len(told.Can) != 1 || told.Opened != 1 {
			t.Errorf("device %+v", told)
		}
	}
}

func TestADarkPlaceIsMeasuredAndThenFound(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	d.scene.Show(gray(t, 20))
	got := d.try(t, "sim:camera", devices.CanFilm)
	if got.Code != api.TrialFilmed || got.Light == nil || got.Light.Finding != api.CameraDark || got.Light.Mean > 30 || got.Light.Rate < 5 {
		t.Errorf("got %+v with %+v", got, got.Light)
	}
	if found := strings.Join(d.codes(t), " "); found != "camera_dark" {
		t.Errorf("the checkup finds %q", found)
	}
	d.scene.Show(gray(t, 140))
	if got := d.try(t, "sim:camera", devices.CanFilm); got.Light == nil || got.Light.Finding != "" {
		t.Errorf("with a lamp %+v", got.Light)
	}
	if found := d.codes(t); len(found) != 0 {
		t.Errorf("with a lamp the checkup finds %q", found)
	}
}

func TestTheMeterIsLiveAndAlone(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	d.scene.Show(gray(t, 140))
	enough := errors.New("enough")
	n := 0
	err := d.Light(t.Context(), devices.DocumentCamera, func(l api.Light) error {
		if n++; n == 1 {
			if _, err := d.Try(t.Context(), api.Trial{Can: string(devices.CanPrint)}); proof.KindOf(err) != proof.KindDeviceBusy {
				t.Errorf("a second trial: %v", err)
			}
			if err := d.Light(t.Context(), devices.DocumentCamera, nil); proof.KindOf(err) != proof.KindDeviceBusy {
				t.Errorf("a second meter: %v", err)
			}
			d.scene.Show(gray(t, 10))
		}
		if l.Finding == api.CameraDark {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n < 2 {
		t.Errorf("after %d figures: %v", n, err)
	}
}

func TestTheMeterWithoutACamera(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	if err := d.Light(t.Context(), devices.FaceCamera, nil); devices.KindOf(err) != devices.Missing {
		t.Errorf("got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := d.Light(ctx, devices.DocumentCamera, nil); devices.KindOf(err) != devices.Cancelled {
		t.Errorf("got %v", err)
	}
}

func TestReaders(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	d.reader.Lay("P<UTOSPECIMEN<<WREN", "X")
	if got := d.try(t, "sim:left", devices.CanReadMRZ); got.Code != api.TrialRead || len(got.Values) != 0 {
		t.Errorf("this reader: %+v", got)
	}
	d.other.Lay("P<UTOSPECIMEN<<WREN", "X")
	if got := d.try(t, "sim:left", devices.CanReadMRZ); got.Code != api.TrialReadOther || got.Values["name"] != "Right reader" {
		t.Errorf("the other: %+v", got)
	}
	d.other.Lay("P<UTOSPECIMEN<<WREN", "X")
	if got := d.try(t, "", devices.CanReadMRZ); got.Code != api.TrialRead || got.Device != "sim:right" || got.Name != "Right reader" {
		t.Errorf("which one it is: %+v", got)
	}
	if got := d.try(t, "", devices.CanReadBarcode); got.Code != api.TrialFailed || got.Problem != proof.KindDeviceMissing {
		t.Errorf("without a reader: %+v", got)
	}
}

func TestNothingIsLaidOnAnything(t *testing.T) {
	t.Parallel()
	d := open(t, 100*time.Millisecond)
	if got := d.try(t, "sim:left", devices.CanReadMRZ); got.Code != api.TrialNothing {
		t.Errorf("reader: %+v", got)
	}
	d.chips.Insert(nil)
	if got := d.try(t, "sim:chip reader", devices.CanReadChip); got.Code != api.TrialNoCard {
		t.Errorf("chip reader: %+v", got)
	}
	d.reader.Fail(devices.Protocol)
	d.other.Fail(devices.Protocol)
	if got := d.try(t, "sim:left", devices.CanReadMRZ); got.Code != api.TrialFailed || got.Problem == "" {
		t.Errorf("a broken reader: %+v", got)
	}
}

func TestAChip(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	d.chips.Insert(sim.Blank)
	for range 2 { // the first trial lets the card go
		if got := d.try(t, "sim:chip reader", devices.CanReadChip); got.Code != api.TrialCard {
			t.Errorf("got %+v", got)
		}
	}
}

func TestThePrinter(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	if got := d.try(t, "sim:printer", devices.CanPrint); got.Code != api.TrialPrinted {
		t.Errorf("got %+v", got)
	}
	if err := d.Print(t.Context(), time.Now()); err != nil {
		t.Errorf("printing the report: %v", err)
	}
	slips, err := filepath.Glob(filepath.Join(d.slips, "*.txt"))
	if err != nil || len(slips) != 2 {
		t.Fatalf("printed %v: %v", slips, err)
	}
	var all strings.Builder
	for _, s := range slips {
		b, err := os.ReadFile(s)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for _, want := range []string{"Test slip", "Counterproof: how this counter stands", "Site FV123", "Left reader: ready"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%q is not printed", want)
		}
	}
	d.printer.Fail(devices.PaperOut)
	if got := d.try(t, "sim:printer", devices.CanPrint); got.Code != api.TrialFailed || got.Problem != proof.KindPaperOut {
		t.Errorf("without paper: %+v", got)
	}
	d.until(t, "the checkup finds paper_out", func() bool { return strings.Join(d.codes(t), " ") == "paper_out" })
	if err := d.Print(t.Context(), time.Now()); proof.KindOf(err) != proof.KindPaperOut {
		t.Errorf("the report without paper: %v", err)
	}
}

func TestTheScanner(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	got := d.try(t, "", devices.CanScanDocument)
	if got.Code != api.TrialScanned || got.Values["width"] == "" || got.Values["width"] == "0" {
		t.Errorf("got %+v", got)
	}
}

func TestQuestionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	for _, in := range []api.Trial{{}, {Can: "fly"}, {Device: "usb:9-9/dead:beef", Can: string(devices.CanFilm)}} {
		if _, err := d.Try(t.Context(), in); proof.KindOf(err) != proof.KindBadRequest {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func TestAStalledCameraEndsTheTrial(t *testing.T) {
	t.Parallel()
	d := open(t, patience)
	d.camera.Stall(true)
	if got := d.try(t, "sim:camera", devices.CanFilm); got.Code != api.TrialFailed || got.Problem != proof.KindDeviceTimeout {
		t.Errorf("got %+v", got)
	}
}
