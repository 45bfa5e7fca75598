package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Life of a token. The service says 300 seconds; a longer word of it is not
// believed, and a token is not used in its last seconds, so that it does not run
// out on the way.
const (
	tokenLife   = 300 * time.Second
	tokenMargin = 10 * time.Second
	maxToken    = 8 << 10 // bytes
)

// token is a bearer token and until when it is used.
type token struct {
	bearer string
	until  time.Time
}

// tokenAnswer is a token as it comes (RFC 6749 §5.1).
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   *int64 `json:"expires_in"`
}

// bearer gives a token that is good now, and whether it was used before.
func (c *Client) bearer(ctx context.Context) (bearer string, reused bool, fault *Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.cfg.Now()
	if c.token.bearer != "" && asked.Before(c.token.until) {
		return c.token.bearer, true, nil
	}
	assertion, err := c.cfg.assert(asked)
	if err != nil {
		return "", false, &Answer{Disposition: ConfigAlarm, Err: fmt.Errorf("making an assertion: %w", err)}
	}
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
	}
	status, header, body, err := c.post(ctx, c.cfg.TokenURL,
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	if err != nil {
		a := unanswered("asking for a token", err)
		return "", false, &a
	}
	if status != http.StatusOK {
		a := refusedToken(status)
		a.Wait = retryAfter(header, asked)
		return "", false, &a
	}
	t, ok := readToken(body, asked)
	if !ok {
		return "", false, &Answer{Disposition: Retry, Err: errors.New("asking for a token: the answer has none")}
	}
	c.token = t
	return t.bearer, false, nil
}

// forget drops a token that the service no longer takes; one that another call
// fetched meanwhile stays.
func (c *Client) forget(bearer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token.bearer == bearer {
		c.token = token{}
	}
}

// refusedToken is the answer when there is no token. A client that is not known
// stays unknown until people change something.
func refusedToken(status int) Answer {
	a := byStatus(status)
	a.Err = fmt.Errorf("asking for a token: status %d", status)
	return a
}

// readToken reads a token that was asked for at a time. Anything that is not a
// bearer token of plain signs is none: it is written into a header.
func readToken(body []byte, asked time.Time) (token, bool) {
	var a tokenAnswer
	if json.Unmarshal(body, &a) != nil || !strings.EqualFold(a.TokenType, "bearer") {
		return token{}, false
	}
	if a.AccessToken == "" || len(a.AccessToken) > maxToken || strings.Trim(a.AccessToken, tokenSigns) != "" {
		return token{}, false
	}
	life := tokenLife
	if a.ExpiresIn != nil {
		life = time.Duration(min(max(*a.ExpiresIn, 0), int64(tokenLife/time.Second))) * time.Second
	}
	return token{bearer: a.AccessToken, until: asked.Add(life - tokenMargin)}, true
}

// tokenSigns are the signs of a bearer token (RFC 6750 §2.1, b64token).
const tokenSigns = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/="
