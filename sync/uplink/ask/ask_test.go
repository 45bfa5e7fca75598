package ask

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestCheckRetry: only what passes by itself is tried again at once.
func TestCheckRetry(t *testing.T) {
	t.Parallel()
	var noted wire.Kind
	check := checkRetry(func(k wire.Kind) { noted = k })
	for status, want := range map[int]bool{
		200: false, 201: false, 204: false, 301: false, 400: false, 401: false, 403: false, 404: false, 408: true,
		409: false, 413: false, 422: false, 424: false, 425: false, 426: false, 429: true, 500: true, 501: false,
		502: true, 503: true, 504: true,
	} {
		if got, err := check(t.Context(), &http.Response{StatusCode: status, Header: http.Header{}}, nil); got != want || err != nil {
			t.Errorf("%d: got %v (%v), want %v", status, got, err, want)
		}
	}
	long := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"600"}}}
	if got, _ := check(t.Context(), long, nil); got {
		t.Error("a wait of ten minutes is kept in memory")
	}
	if noted != wire.KindShed {
		t.Errorf("the kind is %q, want shed", noted)
	}
	for name, s := range map[string]struct {
		ctx  context.Context
		err  error
		want bool
	}{
		"refused":       {t.Context(), errors.New("connection refused"), true},
		"failed-before": {Sparing(t.Context(), 1), errors.New("connection refused"), false},
		"certificate":   {t.Context(), x509.UnknownAuthorityError{}, false},
	} {
		if got, err := check(s.ctx, nil, s.err); got != s.want || err != nil {
			t.Errorf("%s: got %v (%v), want %v", name, got, err, s.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := check(ended, nil, errors.New("x")); got || !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: got %v (%v)", got, err)
	}
}

// line is a function as a transport.
type line func(*http.Request) (*http.Response, error)

func (f line) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// over makes a caller whose connection is a function.
func over(f line) Caller {
	return New(Config{Address: "centre.example:8443", Wrap: func(http.RoundTripper) http.RoundTripper { return f }})
}

// answer is a response with a body.
func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// late is a body that comes just as the asker gives up.
type late struct{ closed *bool }

func (late) Read([]byte) (int, error) { return 0, io.EOF }
func (l late) Close() error           { *l.closed = true; return nil }

// TestLateAnswer: an answer that nobody waits for any more is closed, so that
// its connection and its timer go with it.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var closed bool
	k := over(func(*http.Request) (*http.Response, error) {
		cancel()
		return &http.Response{StatusCode: http.StatusOK, Body: late{&closed}}, nil
	})
	resp, err := k.Start(ctx, Request{Method: http.MethodGet, Path: "/"})
	if err == nil || resp != nil || !closed {
		t.Errorf("got an answer: %t, %v, closed: %t", resp != nil, err, closed)
	}
}

// TestAnswers: what is no answer is told apart by its kind.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		status int
		body   string
		want   wire.Kind
	}{
		"good":         {200, `{"n":7}`, wire.KindNone},
		"page":         {200, "<html>sign in</html>", network.KindPortal},
		"redirect":     {302, "", network.KindPortal},
		"no-end":       {200, strings.Repeat(" ", MaxAnswer+1), wire.KindProtocol},
		"no-json":      {200, "seven", wire.KindProtocol},
		"unauthorised": {403, `{}`, wire.KindUnauthorised},
	} {
		k := over(func(*http.Request) (*http.Response, error) { return answer(s.status, s.body), nil })
		var got struct{ N int }
		err := k.JSON(t.Context(), Request{Method: http.MethodGet, Path: "/"}, nil, &got)
		if wire.KindOf(err) != s.want || s.want == wire.KindNone && (err != nil || got.N != 7) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	k := over(func(*http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: "x", Err: errors.New("refused")}
	})
	if _, err := k.Ask(Sparing(t.Context(), 1), Request{Method: http.MethodGet, Path: "/"}); wire.KindOf(err) != wire.KindUnreachable {
		t.Errorf("no connection: %v", err)
	}
	if err := k.JSON(t.Context(), Request{Method: http.MethodPost, Path: "/"}, func() {}, nil); err == nil {
		t.Error("what is no JSON was sent")
	}
	if _, err := k.Ask(t.Context(), Request{Method: "NO METHOD", Path: "/"}); err == nil {
		t.Error("a method that is none was sent")
	}
}

// TestAsked: what is asked arrives as it is, is counted, and is tried again with
// waits while the centre is busy.
func TestAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Time
		var spent Meter
		k := New(Config{Address: "centre.example:8443", Spent: &spent, Wrap: func(http.RoundTripper) http.RoundTripper {
			return line(func(r *http.Request) (*http.Response, error) {
				tries = append(tries, time.Now())
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != `{"a":1}` || r.URL.String() != "https://centre.example:8443/v1/x?y=1" || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("asked %s with %q, %v", r.URL, body, err)
				}
				if len(tries) < 3 {
					return answer(503, `{}`), nil
				}
				return answer(200, `{}`), nil
			})
		}})
		var got struct{}
		if err := k.JSON(t.Context(), Request{Method: http.MethodPost, Path: "/v1/x?y=1"}, map[string]int{"a": 1}, &got); err != nil {
			t.Fatal(err)
		}
		if len(tries) != 3 || !tries[2].After(tries[0]) {
			t.Errorf("tried at %v", tries)
		}
		if spent.Wait(time.Now(), 7, 1) == 0 {
			t.Error("what was sent is not counted")
		}
		k.CloseIdle()
	})
}
