// Package network knows what may stand between a counter and the centre: a proxy,
// and a network that answers in everybody's name until somebody has signed in.
//
// It believes nothing that it is told this way; it only says what to tell a person.
//
// # The laws
//
//   - A proxy that is configured wrongly is an error, never passed over.
//   - The plain question that finds a sign-in page carries nothing but the host's
//     name, which the connection before it carried, too.
package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Proxy is the rule by which a proxy is found: by the environment (HTTPS_PROXY,
// NO_PROXY) where configured is empty, none for "none", or the proxy of that URL.
func Proxy(configured string) func(*http.Request) (*url.URL, error) {
	switch configured {
	case "":
		return http.ProxyFromEnvironment
	case "none":
		return nil
	}
	u, err := url.Parse(configured)
	if err == nil && (u.Host == "" || !strings.HasPrefix(u.Scheme, "http") && u.Scheme != "socks5") {
		err = errors.New("it is no URL of a proxy")
	}
	if err != nil {
		err = fmt.Errorf("reading the proxy of the configuration: %w", err)
	}
	return func(*http.Request) (*url.URL, error) { return u, err }
}

// IsPage reports whether an answer is a page for people in place of a centre's. A
// centre never redirects; an error page of something before the centre is told by
// its status.
func IsPage(resp *http.Response, body []byte) bool {
	switch {
	case resp.StatusCode == http.StatusNetworkAuthenticationRequired: // RFC 6585 §6
		return true
	case resp.StatusCode >= 300:
		return resp.StatusCode < 400
	}
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// Patience with the plain question, and what is read of its answer.
const (
	askTime = 5 * time.Second
	askRead = 4 << 10
)

// WantsSignIn asks a host over plain HTTP, as a browser would that a network leads
// to its sign-in page, and reports whether such a page came. A redirect to the
// host's own secure side is none.
func WantsSignIn(ctx context.Context, transport http.RoundTripper, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, (&url.URL{Scheme: "http", Host: host, Path: "/"}).String(), nil)
	if err != nil {
		return false
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, askRead))
	if err != nil || !IsPage(resp, body) {
		return false
	}
	to, err := resp.Location()
	return err != nil || to.Hostname() != host
}
