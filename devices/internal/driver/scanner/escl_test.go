package scanner

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

// wire carries requests to a handler within this process.
type wire struct{ http.Handler }

// RoundTrip lets the handler answer.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	into := httptest.NewRecorder()
	w.ServeHTTP(into, r)
	return into.Result(), r.Context().Err()
}

// flatbed opens a scanner that a handler plays.
func flatbed(tb testing.TB, h http.Handler) *ESCL {
	tb.Helper()
	s, err := OpenESCL(tb.Context(), ESCLConfig{ID: "net:192.0.2.7:80", Root: "http://192.0.2.7/eSCL/", Transport: wire{h}})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// TestESCL holds the driver to what every scanner keeps, in this process and over
// the loopback of the network.
func TestESCL(t *testing.T) {
	t.Parallel()
	white := []devices.Light{devices.White}
	t.Run("within", func(t *testing.T) {
		devicetest.RunDocumentScanner(t, synctest.Test, func(tb testing.TB) devicetest.ScannerRig {
			return devicetest.ScannerRig{Scanner: flatbed(tb, sim.NewESCL(sim.NewScanner(sim.ScannerConfig{}))), Lights: white}
		})
	})
	t.Run("loopback", func(t *testing.T) {
		devicetest.RunDocumentScanner(t, devicetest.Real, func(tb testing.TB) devicetest.ScannerRig {
			server := httptest.NewServer(sim.NewESCL(sim.NewScanner(sim.ScannerConfig{})))
			tb.Cleanup(server.Close)
			s, err := OpenESCL(tb.Context(), ESCLConfig{ID: "net:scanner", Root: server.URL + "/eSCL"})
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { _ = s.Close() })
			return devicetest.ScannerRig{Scanner: s, Lights: white, Unplug: server.Close}
		})
	})
}

// scan scans one page by white light.
func scan(ctx context.Context, s devices.DocumentScanner) error {
	pages, err := s.Scan(ctx, []devices.Light{devices.White})
	if (err == nil) != (len(pages) == 1) {
		return fmt.Errorf("%d pages and %v", len(pages), err)
	}
	return err
}

// TestESCLTrouble: what keeps a scanner from scanning is told as what it is, and
// it scans when that is over.
func TestESCLTrouble(t *testing.T) {
	t.Parallel()
	for kind, want := range map[devices.Kind]devices.Kind{
		devices.InUse: devices.InUse, devices.PaperOut: devices.PaperOut, devices.CoverOpen: devices.CoverOpen,
		devices.Cancelled: devices.Cancelled, devices.Timeout: devices.Protocol, devices.KindNone: devices.KindNone,
	} {
		synctest.Test(t, func(t *testing.T) {
			scanner := sim.NewScanner(sim.ScannerConfig{})
			s := flatbed(t, sim.NewESCL(scanner))
			scanner.Fail(kind)
			if err := scan(t.Context(), s); devices.KindOf(err) != want {
				t.Errorf("%q: got %v, want %q", kind, err, want)
			}
			scanner.Fail(devices.KindNone)
			if err := scan(t.Context(), s); err != nil {
				t.Errorf("%q: when it is over: %v", kind, err)
			}
		})
	}
}

// TestESCLWarming: a scanner that warms up is asked again, with patience and not
// for ever.
func TestESCLWarming(t *testing.T) {
	t.Parallel()
	for puts, want := range map[int]devices.Kind{3: devices.KindNone, 2 * esclTries: devices.Timeout} {
		synctest.Test(t, func(t *testing.T) {
			h := sim.NewESCL(sim.NewScanner(sim.ScannerConfig{}))
			s := flatbed(t, h)
			h.Warming = puts
			began := time.Now()
			if err := scan(t.Context(), s); devices.KindOf(err) != want || time.Since(began) > time.Minute {
				t.Errorf("%d times: %v after %v", puts, err, time.Since(began))
			}
			h.Warming = 2 * esclTries
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			if err := scan(ctx, s); devices.KindOf(err) != devices.Cancelled {
				t.Errorf("who gives up: %v", err)
			}
		})
	}
}

// TestESCLBusy: another computer's scan that lies there is not taken.
func TestESCLBusy(t *testing.T) {
	t.Parallel()
	h := sim.NewESCL(sim.NewScanner(sim.ScannerConfig{}))
	s := flatbed(t, h)
	if _, err := s.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := scan(t.Context(), s)
	if devices.KindOf(err) != devices.InUse {
		t.Errorf("got %v", err)
	}
}

// hostile answers as a scanner does, but where it is told otherwise.
func hostile(answers map[string]http.HandlerFunc) http.Handler {
	well := sim.NewESCL(sim.NewScanner(sim.ScannerConfig{}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for part, answer := range answers {
			if strings.Contains(r.Method+" "+r.URL.Path, part) {
				answer(w, r)
				return
			}
		}
		well.ServeHTTP(w, r)
	})
}

// body answers with a text.
func body(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// to answers that the job is somewhere.
func to(place string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", place)
		w.WriteHeader(http.StatusCreated)
	}
}

// promise is the head of a PNG picture of a size, with nothing behind it.
func promise(tb testing.TB, width, height uint32) string {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		tb.Fatal(err)
	}
	head := b.Bytes()[:33]
	for i := range 4 {
		head[16+i], head[20+i] = byte(width>>(24-8*i)), byte(height>>(24-8*i))
	}
	return string(head)
}

// TestESCLHostile: no answer of a scanner does harm, and none makes this program
// ask another address.
func TestESCLHostile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		part   string
		answer http.HandlerFunc
		want   devices.Kind
	}{
		"elsewhere":       {"POST", to("http://203.0.113.9/eSCL/ScanJobs/1"), devices.Protocol},
		"no-place":        {"POST", to("http://%zz"), devices.Protocol},
		"redirected-job":  {"POST", body(http.StatusTemporaryRedirect, ""), devices.Protocol},
		"redirected-page": {"NextDocument", body(http.StatusFound, ""), devices.Protocol},
		"refused":         {"POST", body(http.StatusForbidden, "no"), devices.Protocol},
		"no-picture":      {"NextDocument", body(200, "<html>hello</html>"), devices.Protocol},
		"empty":           {"NextDocument", body(200, ""), devices.Protocol},
		"endless":         {"NextDocument", endless, devices.Protocol},
		"huge-picture":    {"NextDocument", body(200, promise(t, 1<<30, 1<<30)), devices.Protocol},
		"no-pixels":       {"NextDocument", body(200, promise(t, 0, 7)), devices.Protocol},
		"page-gone":       {"NextDocument", body(http.StatusGone, ""), devices.Protocol},
		"status-nonsense": {"POST", body(http.StatusConflict, ""), devices.InUse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := flatbed(t, hostile(map[string]http.HandlerFunc{c.part: c.answer}))
			err := scan(t.Context(), s)
			if devices.KindOf(err) != c.want || strings.Contains(fmt.Sprint(err), "203.0.113.9") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// endless is a page that does not end.
func endless(w http.ResponseWriter, _ *http.Request) {
	piece := bytes.Repeat([]byte{0xff, 0xd8, 0xff, 0xe0}, 1<<20)
	for range maxScan/len(piece) + 2 {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// TestESCLOpening: what is no scanner of this house is not opened.
func TestESCLOpening(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		root   string
		answer http.HandlerFunc
		want   devices.Kind
	}{
		"no-address":    {"scanner", nil, devices.Unsupported},
		"other-scheme":  {"ftp://192.0.2.7/eSCL", nil, devices.Unsupported},
		"with-password": {"http://a:b@192.0.2.7/eSCL", nil, devices.Unsupported},
		"not-found":     {"http://192.0.2.7/eSCL", body(404, ""), devices.Protocol},
		"no-xml":        {"http://192.0.2.7/eSCL", body(200, "hello"), devices.Protocol},
		"endless-xml":   {"http://192.0.2.7/eSCL", body(200, "<a>"+strings.Repeat("<b>", maxAnswer)), devices.Protocol},
		"no-flatbed":    {"http://192.0.2.7/eSCL", body(200, "<ScannerCapabilities><Adf/></ScannerCapabilities>"), devices.Unsupported},
	} {
		s, err := OpenESCL(t.Context(), ESCLConfig{Root: c.root, Transport: wire{hostile(map[string]http.HandlerFunc{"Capabilities": c.answer})}})
		if s != nil || devices.KindOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if _, err := OpenESCL(t.Context(), ESCLConfig{Root: "http://192.0.2.7/eSCL"}); devices.KindOf(err) != devices.Unsupported {
		t.Errorf("an address out of the house: %v", err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, err := OpenESCL(t.Context(), ESCLConfig{Root: server.URL + "/eSCL"}); devices.KindOf(err) != devices.Missing {
		t.Errorf("a scanner that is switched off: %v", err)
	}
}

// TestESCLSettings: what is asked for is what a document is worth, within what the
// scanner has.
func TestESCLSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   esclCapabilities
		want esclSettings
	}{
		"least-that-is-enough": {esclCapabilities{Version: "2.63", Platen: &esclPlaten{Details: []int{200, 600, 400}}}, esclSettings{"2.63", 2550, 3508, 400}},
		"most-there-is":        {esclCapabilities{Platen: &esclPlaten{Width: 1000, Height: 800, Details: []int{100, 300}}}, esclSettings{"2.0", 1000, 800, 300}},
		"nonsense":             {esclCapabilities{Version: "2.0</x>", Platen: &esclPlaten{Width: -5, Details: []int{-1, 1 << 30}}}, esclSettings{"2.0", 2550, 3508, 300}},
	} {
		if got := c.in.settings(); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
