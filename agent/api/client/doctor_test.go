package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

func TestTheLightIsHeardUntilSomebodyHasSeenEnough(t *testing.T) {
	t.Parallel()
	asked := ""
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path + " " + r.URL.Query().Get("role")
		for i := range 3 {
			fmt.Fprintf(w, ":\n\ndata: {\"mean\": %d}\n\n", i+1)
		}
	})
	var seen []float64
	if err := c.Light(t.Context(), "face_camera", func(l api.Light) bool {
		seen = append(seen, l.Mean)
		return len(seen) < 2
	}); err != nil || fmt.Sprint(seen) != "[1 2]" || asked != "/v1/doctor/light face_camera" {
		t.Errorf("%s gave %v: %v", asked, seen, err)
	}
	err := c.Light(t.Context(), "face_camera", func(api.Light) bool { return true })
	if proof.KindOf(err) != proof.KindDaemonAway {
		t.Errorf("a meter that broke off: %v", err)
	}
}

func TestALightThatIsNoneIsTold(t *testing.T) {
	t.Parallel()
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("role") == "" {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(api.Problem{Kind: proof.KindDeviceMissing})
			return
		}
		fmt.Fprint(w, "data: {broken\n\n")
	})
	if err := c.Light(t.Context(), "", nil); proof.KindOf(err) != proof.KindDeviceMissing {
		t.Errorf("without a camera: %v", err)
	}
	if err := c.Light(t.Context(), "x", nil); proof.KindOf(err) != proof.KindInternal {
		t.Errorf("broken figures: %v", err)
	}
}
