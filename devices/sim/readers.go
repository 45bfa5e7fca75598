package sim

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// What is being done, for a fault.
const (
	readingZone = "reading the machine-readable zone"
	readingCode = "reading a barcode"
	scanningDoc = "scanning the document"
)

// maxLaid bounds what lies on a reader and was not read yet.
const maxLaid = 16

// ReaderConfig says what a simulated reader, scanner or chip reader is.
type ReaderConfig struct {
	ID    devices.ID     // "" is "sim:" and the kind
	Name  string         // "" is "Simulated" and the kind
	Roles []devices.Role // none serves any role
}

// socket makes the socket of a device of a kind.
func (cfg ReaderConfig) socket(kind string, can devices.Capability) *socket {
	return newSocket(devices.Device{
		ID: cmp.Or(cfg.ID, devices.ID("sim:"+kind)), Name: cmp.Or(cfg.Name, "Simulated "+kind),
		Roles: slices.Clone(cfg.Roles), Can: []devices.Capability{can},
	})
}

// laid is what was laid on a reader, one after another. It is under the socket's
// lock.
type laid[T any] []T

// lay lays something on a reader, if there is room.
func lay[T any](s *socket, l *laid[T], thing T) {
	s.set(func() {
		if len(*l) < maxLaid {
			*l = append(*l, thing)
		}
	})
}

// read waits for the next thing that lies on a reader.
func read[T any](ctx context.Context, o *opened, l *laid[T], op string) (thing T, err error) {
	if err := o.cancelled(ctx, op); err != nil {
		return thing, err
	}
	leave, err := o.take(op)
	if err != nil {
		return thing, err
	}
	defer leave()
	for {
		if err := o.cancelled(ctx, op); err != nil {
			return thing, err
		}
		o.mu.Lock()
		changed, err := o.changed, o.well(op)
		found := err == nil && len(*l) > 0
		if found {
			thing, *l = (*l)[0], (*l)[1:]
		}
		o.mu.Unlock()
		if found || err != nil {
			return thing, err
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

// MRZReader is a simulated reader of machine-readable zones, and the hand that
// lays documents on it. Its methods may be called from any goroutine.
type MRZReader struct {
	*socket
	laid laid[devices.MRZ]
}

// NewMRZReader makes a reader that is plugged in.
func NewMRZReader(cfg ReaderConfig) *MRZReader {
	return &MRZReader{socket: cfg.socket("passport reader", devices.CanReadMRZ)}
}

// Lay lays a document on the reader; it is read once.
func (r *MRZReader) Lay(lines ...string) {
	lay(r.socket, &r.laid, devices.MRZ{Lines: slices.Clone(lines)})
}

// ReadMRZ reads as it is plugged in, without being opened.
func (r *MRZReader) ReadMRZ(ctx context.Context) (devices.MRZ, error) {
	return read(ctx, r.here(), &r.laid, readingZone)
}

func (r *MRZReader) open() (io.Closer, error) {
	o, err := r.enter()
	if err != nil {
		return nil, err
	}
	return &openMRZReader{o, r}, nil
}

type openMRZReader struct {
	*opened
	reader *MRZReader
}

// ReadMRZ waits for the next document.
func (o *openMRZReader) ReadMRZ(ctx context.Context) (devices.MRZ, error) {
	return read(ctx, o.opened, &o.reader.laid, readingZone)
}

// BarcodeReader is a simulated barcode reader, and the hand that holds symbols
// before it. Its methods may be called from any goroutine.
type BarcodeReader struct {
	*socket
	laid laid[devices.Symbol]
}

// NewBarcodeReader makes a reader that is plugged in.
func NewBarcodeReader(cfg ReaderConfig) *BarcodeReader {
	return &BarcodeReader{socket: cfg.socket("barcode reader", devices.CanReadBarcode)}
}

// Show holds a symbol before the reader; it is read once.
func (r *BarcodeReader) Show(symbology string, content []byte) {
	lay(r.socket, &r.laid, devices.Symbol{Symbology: symbology, Bytes: slices.Clone(content)})
}

// ReadBarcode reads as it is plugged in, without being opened.
func (r *BarcodeReader) ReadBarcode(ctx context.Context) (devices.Symbol, error) {
	return read(ctx, r.here(), &r.laid, readingCode)
}

func (r *BarcodeReader) open() (io.Closer, error) {
	o, err := r.enter()
	if err != nil {
		return nil, err
	}
	return &openBarcodeReader{o, r}, nil
}

type openBarcodeReader struct {
	*opened
	reader *BarcodeReader
}

// ReadBarcode waits for the next symbol.
func (o *openBarcodeReader) ReadBarcode(ctx context.Context) (devices.Symbol, error) {
	return read(ctx, o.opened, &o.reader.laid, readingCode)
}

// ScannerConfig says what a simulated document scanner is.
type ScannerConfig struct {
	ReaderConfig
	Pictures Pictures        // nil is an empty glass
	Lights   []devices.Light // what it shines; white alone if empty
}

// Scanner is a simulated document scanner. Its methods may be called from any
// goroutine.
type Scanner struct {
	*socket
	pictures Pictures
	lights   []devices.Light
	scanned  uint64 // under the socket's lock
	glass    []byte
}

// NewScanner makes a scanner that is plugged in.
func NewScanner(cfg ScannerConfig) *Scanner {
	s := &Scanner{
		socket:   cfg.socket("document scanner", devices.CanScanDocument),
		pictures: cfg.Pictures, lights: slices.Clone(cfg.Lights), glass: emptyDesk(),
	}
	if len(s.lights) == 0 {
		s.lights = []devices.Light{devices.White}
	}
	if s.pictures == nil {
		s.pictures = Loop()
	}
	return s
}

// Scan scans as it is plugged in, without being opened.
func (s *Scanner) Scan(ctx context.Context, lights []devices.Light) ([][]byte, error) {
	return s.scan(ctx, s.here(), lights)
}

func (s *Scanner) open() (io.Closer, error) {
	o, err := s.enter()
	if err != nil {
		return nil, err
	}
	return &openScanner{o, s}, nil
}

type openScanner struct {
	*opened
	scanner *Scanner
}

// Scan takes one picture for each light.
func (o *openScanner) Scan(ctx context.Context, lights []devices.Light) ([][]byte, error) {
	return o.scanner.scan(ctx, o.opened, lights)
}

// scan takes the pictures.
func (s *Scanner) scan(ctx context.Context, o *opened, lights []devices.Light) (pages [][]byte, err error) {
	if err := s.cancelled(ctx, scanningDoc); err != nil {
		return nil, err
	}
	leave, err := o.take(scanningDoc)
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, light := range lights {
		if !slices.Contains(s.lights, light) {
			return nil, s.fault(scanningDoc, devices.Unsupported)
		}
	}
	for range lights {
		s.mu.Lock()
		n, since := s.scanned, s.since
		s.scanned++
		s.mu.Unlock()
		picture := s.pictures(n, time.Since(since))
		if picture == nil {
			picture = s.glass
		}
		pages = append(pages, slices.Clone(picture))
	}
	return pages, nil
}
