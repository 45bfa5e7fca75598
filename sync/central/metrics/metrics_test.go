package metrics_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/central/metrics"
	"github.com/counterproof/counterproof/sync/wire"
)

// text is what a collector reads.
func text(t *testing.T, c *metrics.Counters) string {
	t.Helper()
	rec := httptest.NewRecorder()
	c.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("got status %d", rec.Code)
	}
	return rec.Body.String()
}

// TestFromZero: every counter of the closed lists is there before it counts.
func TestFromZero(t *testing.T) {
	t.Parallel()
	got := text(t, metrics.New())
	for _, cause := range metrics.Causes() {
		if !strings.Contains(got, `counterproof_refusals_total{cause="`+string(cause)+`"} 0`) {
			t.Errorf("%s is not there", cause)
		}
	}
	if !strings.Contains(got, `counterproof_verdicts_total{verdict="stored"} 0`) {
		t.Error("the verdicts are not there")
	}
}

// TestCounts: each thing is counted under its own name, and nothing is not.
func TestCounts(t *testing.T) {
	t.Parallel()
	c := metrics.New()
	for range 3 {
		c.Decided(wire.Stored)
	}
	c.Decided("")
	c.Refused(metrics.Slow)
	c.Refused("")
	got := text(t, c)
	for _, want := range []string{
		`counterproof_verdicts_total{verdict="stored"} 3`, `counterproof_verdicts_total{verdict="gap"} 0`,
		`counterproof_refusals_total{cause="slow"} 1`, `counterproof_refusals_total{cause="shed"} 0`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, `=""`) {
		t.Error("nothing was counted as something")
	}
}

// TestLoopbackOnly: the figures are nobody else's.
func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", ":0", "localhost:0", "centre.example:0"} {
		if ln, err := metrics.Listen(address); !errors.Is(err, metrics.ErrNotLocal) {
			t.Errorf("%s: got %v", address, err)
			if err == nil {
				_ = ln.Close()
			}
		}
	}
	for _, address := range []string{"nowhere", "127.0.0.1:notaport"} {
		if _, err := metrics.Listen(address); err == nil {
			t.Errorf("%s was listened on", address)
		}
	}
}

// TestServe: a collector reads them until the end, and nothing else is there.
func TestServe(t *testing.T) {
	t.Parallel()
	ln, err := metrics.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- metrics.New().Serve(ctx, ln) }()
	for path, want := range map[string]int{"/metrics": http.StatusOK, "/": http.StatusNotFound} {
		resp, err := http.Get("http://" + ln.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != want {
			t.Errorf("%s: got %d (%v), want %d", path, resp.StatusCode, err, want)
		}
		_ = resp.Body.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	closed, err := metrics.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	if err := metrics.New().Serve(t.Context(), closed); err == nil {
		t.Error("a closed address was served")
	}
}
