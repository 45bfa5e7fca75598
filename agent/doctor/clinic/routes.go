package clinic

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// Door is how the daemon's local interface takes requests.
type Door struct {
	// Answer registers a request that is answered once, Stream one that is
	// answered as it goes; what fails is told as everywhere.
	Answer func(pattern string, h func(*http.Request) (any, error))
	Stream func(pattern string, h func(http.ResponseWriter, *http.Request) error)
	// May refuses whoever may not try devices now.
	May func(*http.Request) error
}

// Routes registers the doctor's part of the interface.
func (c *Clinic) Routes(d Door) {
	try := func(r *http.Request) (any, error) {
		if err := d.May(r); err != nil {
			return nil, err
		}
		var in api.Trial
		b, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(b, &in)
		}
		if err != nil {
			return nil, &proof.Error{Op: "reading a request", Kind: proof.KindBadRequest}
		}
		return c.Try(r.Context(), in)
	}
	d.Answer("GET "+api.PathDoctor, func(r *http.Request) (any, error) { return c.Doctor(r.Context()) })
	d.Answer("POST "+api.PathTrial, try)
	d.Answer("POST "+api.PathIdentify, try)
	d.Answer("POST "+api.PathFindings, func(r *http.Request) (any, error) {
		if err := d.May(r); err != nil {
			return nil, err
		}
		return struct{}{}, c.Print(r.Context(), time.Now())
	})
	d.Stream("GET "+api.PathLight, func(w http.ResponseWriter, r *http.Request) error {
		return c.Stream(w, r, func() error { return d.May(r) })
	})
}
