package daemon

import (
	"context"
	"errors"
	"image"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/face"
	"github.com/counterproof/counterproof/agent/outbox"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// matcher gives the desk the face networks, under the event that consents.
type matcher struct{ engine *face.Engine }

// Look judges one frame of the patient.
func (m matcher) Look(frame image.Image) (proof.Kind, error) { return m.engine.Look(frame) }

// Compare compares a portrait with a live face.
func (m matcher) Compare(consent int, portrait, live image.Image) (proof.FacesCompared, error) {
	c, err := m.engine.Compare(face.Given(consent), portrait, live)
	if err != nil {
		return proof.FacesCompared{}, err
	}
	return proof.FacesCompared{Score: c.Score, Decision: c.Decision, Profile: c.Profile}, nil
}

// openOutbox opens identity and queue as the configuration has it.
func openOutbox(cfg config.Config) (*outbox.Outbox, error) {
	return outbox.OpenWith(cfg.Data, Version, outbox.Settings{TPM: cfg.TPM, Grade: cfg.KeyGrade, Proxy: cfg.Proxy, DayBytes: cfg.DayBytes, Keep: cfg.Keep()})
}

// owned opens identity and queue for one who has the data folder alone: the counter
// must not be running.
func owned(cfg config.Config, use func(*outbox.Outbox) error) (err error) {
	held, err := lock(cfg.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	box, err := openOutbox(cfg)
	if err != nil {
		return err
	}
	return errors.Join(use(box), box.Close())
}

// site is where the counter stands: the configuration's word, or the centre's.
func (c *counter) site() string {
	if c.cfg.Site != "" {
		return c.cfg.Site
	}
	identity, err := c.outbox.Identity()
	if err != nil {
		return ""
	}
	return identity.Site
}

// status is what may be shown before anyone signed in.
func (c *counter) status() api.Status {
	identity, err := c.outbox.Identity()
	return api.Status{
		Version: Version, Site: c.site(), Enrolled: err == nil, Training: identity.Training,
		NoClerks: c.clerks.Empty(), OpenVisit: c.desk.OpenVisit(), Queue: c.outbox.State(context.Background()),
		Devices: c.deviceList(), Face: c.matcher.Available(), Languages: c.cfg.Languages,
	}
}

// deviceList is every device as the screen shows it.
func (c *counter) deviceList() []api.Device {
	out := []api.Device{}
	for _, d := range c.hub.Devices() {
		role := ""
		if len(d.Roles) > 0 {
			role = string(d.Roles[0])
		}
		shown := api.Device{Name: d.Name, Role: role, Ready: d.State == devices.Ready || d.State == devices.Busy, Training: d.Training}
		if d.Kind != devices.KindNone {
			shown.Problem = desk.DeviceKind(&devices.Fault{Kind: d.Kind})
		}
		out = append(out, shown)
	}
	return out
}
