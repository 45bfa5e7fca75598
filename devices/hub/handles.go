package hub

import (
	"context"
	"slices"

	"github.com/counterproof/counterproof/devices"
)

// Camera gives the camera of a role. Like every handle it is never nil, may be
// kept for as long as the hub, and uses the device that serves the role at the
// time of the call.
func (h *Hub) Camera(role devices.Role) devices.Camera {
	return camera{h, want{op: "filming", can: devices.CanFilm, role: role}}
}

// Has reports whether a device that can do something in a role is there and well,
// now.
func (h *Hub) Has(can devices.Capability, role devices.Role) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.find(want{can: can, role: role})
	return u != nil && rank(u.device.State) > 0
}

// Printer gives the printer of a role.
func (h *Hub) Printer(role devices.Role) devices.Printer {
	return printer{h, want{op: "printing", can: devices.CanPrint, role: role}}
}

// MRZReader gives a reader of machine-readable zones.
func (h *Hub) MRZReader() devices.MRZReader {
	return mrzReader{h, want{op: "reading the machine-readable zone", can: devices.CanReadMRZ}}
}

// ChipReader gives a chip reader. A conversation with a chip has one user: the
// hub keeps two commands apart, not two conversations.
func (h *Hub) ChipReader() devices.ChipReader {
	return chipReader{h, want{op: "talking to the chip", can: devices.CanReadChip}}
}

// DocumentScanner gives a document scanner.
func (h *Hub) DocumentScanner() devices.DocumentScanner {
	return scanner{h, want{op: "scanning the document", can: devices.CanScanDocument}}
}

// BarcodeReader gives a barcode reader.
func (h *Hub) BarcodeReader() devices.BarcodeReader {
	return barcodeReader{h, want{op: "reading a barcode", can: devices.CanReadBarcode}}
}

// camera is the handle of a camera's role.
type camera struct {
	hub  *Hub
	want want
}

// Frames films with the camera that is there now.
func (c camera) Frames(ctx context.Context, deliver func(devices.Frame) bool) error {
	return use(ctx, c.hub, c.want, func(ctx context.Context, d devices.Camera) error {
		return d.Frames(ctx, deliver)
	})
}

// printer is the handle of a printer's role.
type printer struct {
	hub  *Hub
	want want
}

// Accepts tells what the printer took when it was last opened; nothing while it
// is absent. It never waits, so it can be asked while somebody prints.
func (p printer) Accepts() []devices.JobKind {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if u := p.hub.find(p.want); u != nil {
		return slices.Clone(u.accepts)
	}
	return nil
}

// Print prints on the printer that is there now.
func (p printer) Print(ctx context.Context, job devices.Job) error {
	return use(ctx, p.hub, p.want, func(ctx context.Context, d devices.Printer) error {
		return d.Print(ctx, job)
	})
}

type mrzReader struct {
	hub  *Hub
	want want
}

// ReadMRZ waits for the next document.
func (r mrzReader) ReadMRZ(ctx context.Context) (zone devices.MRZ, err error) {
	err = use(ctx, r.hub, r.want, func(ctx context.Context, d devices.MRZReader) (err error) {
		zone, err = d.ReadMRZ(ctx)
		return err
	})
	return zone, err
}

type chipReader struct {
	hub  *Hub
	want want
}

// Connect waits for a document.
func (r chipReader) Connect(ctx context.Context) error {
	return use(ctx, r.hub, r.want, func(ctx context.Context, d devices.ChipReader) error { return d.Connect(ctx) })
}

// Disconnect lets the document go.
func (r chipReader) Disconnect(ctx context.Context) error {
	return use(ctx, r.hub, r.want, func(ctx context.Context, d devices.ChipReader) error { return d.Disconnect(ctx) })
}

// Transmit sends one command.
func (r chipReader) Transmit(ctx context.Context, command []byte) (response []byte, err error) {
	err = use(ctx, r.hub, r.want, func(ctx context.Context, d devices.ChipReader) (err error) {
		response, err = d.Transmit(ctx, command)
		return err
	})
	return response, err
}

type scanner struct {
	hub  *Hub
	want want
}

// Scan takes one picture for each light.
func (s scanner) Scan(ctx context.Context, lights []devices.Light) (pages [][]byte, err error) {
	err = use(ctx, s.hub, s.want, func(ctx context.Context, d devices.DocumentScanner) (err error) {
		pages, err = d.Scan(ctx, lights)
		return err
	})
	return pages, err
}

type barcodeReader struct {
	hub  *Hub
	want want
}

// ReadBarcode waits for the next symbol.
func (r barcodeReader) ReadBarcode(ctx context.Context) (symbol devices.Symbol, err error) {
	err = use(ctx, r.hub, r.want, func(ctx context.Context, d devices.BarcodeReader) (err error) {
		symbol, err = d.ReadBarcode(ctx)
		return err
	})
	return symbol, err
}
