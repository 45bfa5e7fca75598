package clinic

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// Stream answers a request with the light before the camera of its role, as
// server-sent events (HTML Living Standard §9.2), until whoever reads it leaves or
// may no longer. An error is told where nothing was answered yet.
func (c *Clinic) Stream(w http.ResponseWriter, r *http.Request, may func() error) error {
	if err := may(); err != nil {
		return err
	}
	out, begun := http.NewResponseController(w), false
	err := c.Light(r.Context(), devices.Role(r.URL.Query().Get("role")), func(l api.Light) error {
		if err := may(); err != nil {
			return err
		}
		if !begun {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Cache-Control", "no-store")
			begun = true
		}
		b, err := json.Marshal(l)
		if err == nil {
			_, err = fmt.Fprintf(w, "data: %s\n\n", b)
		}
		return errors.Join(err, out.Flush())
	})
	if err != nil && !begun {
		return &proof.Error{Op: "measuring the light", Kind: desk.DeviceKind(err), Err: err}
	}
	slog.Debug("light meter ended", "err", fmt.Sprint(err))
	return nil
}
