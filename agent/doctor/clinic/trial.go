package clinic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// Try tries what a device can do, at a person's word. A trial that fails is an
// answer too; an error is only a question that makes no sense, or another trial
// that is under way. Without a device any that can do it is tried, and of readers
// the one that somebody uses is told.
func (c *Clinic) Try(ctx context.Context, in api.Trial) (api.TrialResult, error) {
	about, known := c.device(in)
	try := trials[devices.Capability(in.Can)]
	if try == nil || !known && in.Device != "" {
		return api.TrialResult{}, &proof.Error{Op: "trying a device", Kind: proof.KindBadRequest}
	}
	end, err := c.begin(ctx)
	if err != nil {
		return api.TrialResult{}, err
	}
	defer end()
	out := api.TrialResult{Device: in.Device, Name: about.Name, Can: in.Can}
	err = try(ctx, c, about, &out)
	if err != nil {
		out.Code, out.Problem = api.TrialFailed, desk.DeviceKind(err)
	}
	return out, nil
}

// device is the device that is asked for.
func (c *Clinic) device(in api.Trial) (devices.Device, bool) {
	for _, d := range c.cfg.Hub.Devices() {
		if string(d.ID) == in.Device {
			return d, true
		}
	}
	return devices.Device{}, false
}

// role is what a device is used for, the first of several.
func role(d devices.Device) devices.Role {
	if len(d.Roles) == 0 {
		return devices.AnyRole
	}
	return d.Roles[0]
}

// trials are how each capability is tried.
var trials = map[devices.Capability]func(context.Context, *Clinic, devices.Device, *api.TrialResult) error{
	devices.CanFilm: tryCamera, devices.CanPrint: tryPrinter, devices.CanReadMRZ: tryReader, devices.CanReadBarcode: tryReader,
	devices.CanReadChip: tryChip, devices.CanScanDocument: tryScanner,
}

// errEnough ends a trial's filming.
var errEnough = errors.New("enough was filmed")

// tryCamera films for some seconds.
func tryCamera(ctx context.Context, c *Clinic, d devices.Device, out *api.TrialResult) error {
	until := time.Time{}
	err := c.film(ctx, role(d), func(l api.Light) error {
		if until.IsZero() {
			until = time.Now().Add(measuring)
		}
		out.Light = &l
		if time.Now().After(until) {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		return err
	}
	out.Code = api.TrialFilmed
	return nil
}

// tryPrinter prints a slip that anybody may see.
func tryPrinter(ctx context.Context, c *Clinic, _ devices.Device, out *api.TrialResult) error {
	err := c.print(ctx, []string{
		"Test slip / Slip prawf", "", "Counterproof", time.Now().Format("2006-01-02 15:04"), "",
		"123456789012345678901234567890123456789012", "Llwyddiant: â ê î ô û ŵ ŷ",
	})
	out.Code = api.TrialPrinted
	return err
}

// tryReader waits until something is read, by this reader or by another.
func tryReader(ctx context.Context, c *Clinic, d devices.Device, out *api.TrialResult) error {
	waiting, stop := context.WithTimeout(ctx, c.cfg.Patience)
	defer stop()
	id, err := c.cfg.Hub.Identify(waiting, devices.Capability(out.Can))
	switch {
	case err != nil && waiting.Err() != nil && ctx.Err() == nil:
		out.Code = api.TrialNothing
		return nil
	case err != nil:
		return err
	}
	used, _ := c.device(api.Trial{Device: string(id)})
	out.Code = api.TrialRead
	if d.ID == "" {
		out.Device, out.Name = string(used.ID), used.Name
	} else if id != d.ID {
		out.Code, out.Values = api.TrialReadOther, map[string]string{"name": used.Name, "value": string(id)}
	}
	return nil
}

// tryChip waits until a card lies on the reader and answers.
func tryChip(ctx context.Context, c *Clinic, _ devices.Device, out *api.TrialResult) error {
	waiting, stop := context.WithTimeout(ctx, c.cfg.Patience)
	defer stop()
	reader := c.cfg.Hub.ChipReader()
	err := reader.Connect(waiting)
	if err != nil && devices.KindOf(err) == devices.Cancelled && ctx.Err() == nil {
		out.Code = api.TrialNoCard
		return nil
	}
	if err != nil {
		return err
	}
	out.Code = api.TrialCard
	return reader.Disconnect(context.WithoutCancel(ctx))
}

// tryScanner scans one page under white light.
func tryScanner(ctx context.Context, c *Clinic, _ devices.Device, out *api.TrialResult) error {
	scanning, stop := context.WithTimeout(ctx, 3*c.cfg.Patience)
	defer stop()
	pages, err := c.cfg.Hub.DocumentScanner().Scan(scanning, []devices.Light{devices.White})
	if err != nil {
		return err
	}
	if len(pages) == 0 {
		return &devices.Fault{Op: "scanning", Kind: devices.Protocol}
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(pages[0]))
	if err != nil {
		return &devices.Fault{Op: "scanning", Kind: devices.Protocol}
	}
	out.Code, out.Values = api.TrialScanned, map[string]string{"width": fmt.Sprint(size.Width), "height": fmt.Sprint(size.Height)}
	return nil
}
