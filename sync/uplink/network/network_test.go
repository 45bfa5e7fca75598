package network

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestProxy(t *testing.T) {
	t.Parallel()
	request := httptest.NewRequest(http.MethodGet, "https://centre.example/", nil)
	for text, good := range map[string]bool{"http://proxy:3128": true, "socks5://proxy:1080": true, "proxy:3128": false, "ftp://proxy": false, "http://": false} {
		u, err := Proxy(text)(request)
		if (err == nil) != good || good && u.Host == "" {
			t.Errorf("%q: %v, %v", text, u, err)
		}
	}
	if Proxy("none") != nil || Proxy("") == nil {
		t.Error("none is not none, or the environment is not asked")
	}
}

// answering is a network that answers one thing, whoever is asked.
type answering struct {
	status         int
	kind, to, body string
	err            error
	asked          string
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = r.URL.String()
	h := http.Header{}
	if a.kind != "" {
		h.Set("Content-Type", a.kind)
	}
	if a.to != "" {
		h.Set("Location", a.to)
	}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, a.err
}

func TestWantsSignIn(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		answers answering
		want    bool
	}{
		"page/by-type":       {answering{status: 200, kind: "text/html", body: "Welcome"}, true},
		"page/by-body":       {answering{status: 200, body: "\n<html>"}, true},
		"redirect/elsewhere": {answering{status: 302, to: "http://login.hotel.example/"}, true},
		"511":                {answering{status: 511}, true},
		"redirect/secure":    {answering{status: 301, to: "https://centre.example/"}, false},
		"not-found":          {answering{status: 404, kind: "text/html", body: "<html>"}, false},
		"plain-text":         {answering{status: 200, kind: "text/plain", body: "hello"}, false},
		"nobody":             {answering{err: errors.New("refused")}, false},
	} {
		if got := WantsSignIn(t.Context(), &s.answers, "centre.example"); got != s.want {
			t.Errorf("%s: got %v", name, got)
		}
		if s.answers.asked != "http://centre.example/" {
			t.Errorf("%s: asked for %s", name, s.answers.asked)
		}
	}
	if WantsSignIn(t.Context(), &answering{status: 200, body: "<"}, "no host\x00") {
		t.Error("asked a host that cannot be")
	}
}
