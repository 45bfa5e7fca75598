package pds

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
)

// How a request is sent again where no answer came. Longer waits are the
// caller's: it keeps the question.
const (
	sends      = 3
	firstWait  = 500 * time.Millisecond
	patience   = 5 * time.Second // the longest wait that a request is kept for
	maxAfter   = time.Hour       // no service is believed that asks for more
	maxHeaders = 64              // characters of a header's value that is kept
)

// call is one request. It goes out up to sends times and is the same each time.
type call struct {
	op          string
	path        string // under the base
	query       url.Values
	site        string
	request     string // X-Request-ID
	correlation string // X-Correlation-ID
}

// Search asks for the records that a query fits. An empty answer is an answer.
func (c *Client) Search(ctx context.Context, q Query) (Found, error) {
	return c.search(ctx, q, call{request: newUUID()})
}

// Retrieve asks for the record with a number. The number of the Patient is
// another one where the record was replaced: it is the one to keep. NotFound
// and Invalidated are Faults.
func (c *Client) Retrieve(ctx context.Context, n nhs.Number) (Patient, error) {
	return c.retrieve(ctx, n, call{request: newUUID()})
}

func (c *Client) search(ctx context.Context, q Query, as call) (Found, error) {
	as.op, as.path, as.query = "searching PDS", "Patient", q.values()
	a, err := c.ask(ctx, as)
	if err != nil {
		return Found{}, err
	}
	if a.found == nil {
		return Found{}, &Fault{Op: as.op, Kind: Unreadable, Status: http.StatusOK, Err: errors.New("a record instead of a list")}
	}
	return *a.found, nil
}

func (c *Client) retrieve(ctx context.Context, n nhs.Number, as call) (Patient, error) {
	as.op = "retrieving a PDS record"
	if len(n) != numberSize || strings.Trim(string(n), "0123456789") != "" {
		return Patient{}, &Fault{Op: as.op, Kind: Input, Err: errors.New("the number is not ten digits")}
	}
	as.path = "Patient/" + string(n)
	a, err := c.ask(ctx, as)
	if err != nil {
		return Patient{}, err
	}
	if a.patient == nil {
		return Patient{}, &Fault{Op: as.op, Kind: Unreadable, Status: http.StatusOK, Err: errors.New("a list instead of a record")}
	}
	return *a.patient, nil
}

// errQuiet is why nothing was sent.
var errQuiet = errors.New("the service asked to be left alone")

// ask sends a request until there is an answer, in the service's rate, as long
// as waiting for one makes sense.
func (c *Client) ask(ctx context.Context, as call) (answer, error) {
	pause := firstWait
	for sent := 1; ; sent++ {
		wait, left := c.limit.take(c.cfg.Now())
		if left > 0 {
			return answer{}, &Fault{Op: as.op, Kind: Later, After: left, Err: errQuiet}
		}
		if err := c.cfg.Wait(ctx, wait); err != nil {
			return answer{}, &Fault{Op: as.op, Kind: Later, Err: err}
		}
		a, f := c.send(ctx, as)
		if f == nil {
			return a, nil
		}
		f.Op = as.op
		c.log.Debug("PDS gave no answer", "op", as.op, "kind", string(f.Kind), "status", f.Status, "code", f.Code, "attempt", sent)
		if f.After > 0 {
			c.limit.pause(c.cfg.Now().Add(f.After))
		}
		if f.Kind != Later || sent == sends || f.After > patience || ctx.Err() != nil {
			return answer{}, f
		}
		if f.After == 0 { // else the limiter waits
			if err := c.cfg.Wait(ctx, pause); err != nil {
				return answer{}, &Fault{Op: as.op, Kind: Later, Err: err}
			}
			pause *= 2
		}
	}
}

// send sends a request once. A Fault has no Op yet. An answer that names another
// request than this one is somebody else's, from a cache or a proxy that mixed
// them up, and is not looked at.
func (c *Client) send(ctx context.Context, as call) (answer, *Fault) {
	req, err := c.build(ctx, as)
	if err != nil {
		return answer{}, &Fault{Kind: Later, Err: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, &Fault{Kind: Later, Err: withoutAddress(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return answer{}, &Fault{Kind: Later, Status: resp.StatusCode, Err: errors.New("the answer broke off")}
	}
	unreadable := func(why string) (answer, *Fault) {
		return answer{}, &Fault{Kind: Unreadable, Status: resp.StatusCode, Err: errors.New(why)}
	}
	if len(body) > maxAnswer {
		return unreadable("the answer is too long")
	}
	echo := resp.Header.Get("X-Request-ID")
	if resp.StatusCode == http.StatusOK && echo != "" && !strings.EqualFold(echo, as.request) {
		return unreadable("the answer to another request")
	}
	etag := resp.Header.Get("ETag")
	if len(etag) > maxHeaders {
		return unreadable("the version is too long")
	}
	a, f := readAnswer(resp.StatusCode, etag, body)
	if f != nil && f.Kind == Later {
		f.After = retryAfter(resp.Header.Get("Retry-After"), c.cfg.Now())
	}
	return a, f
}

// build makes the request with its headers. Its errors name no value.
func (c *Client) build(ctx context.Context, as call) (*http.Request, error) {
	target := c.base.JoinPath(as.path)
	target.RawQuery = as.query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, errors.New("the request cannot be written")
	}
	req.Header.Set("Accept", "application/fhir+json")
	req.Header.Set("X-Request-ID", as.request)
	if as.correlation != "" {
		req.Header.Set("X-Correlation-ID", as.correlation)
	}
	if site := cmp.Or(as.site, c.cfg.Site); site != "" {
		req.Header.Set("NHSD-End-User-Organisation-ODS", site)
	}
	if c.cfg.Token == nil {
		return req, nil
	}
	token, err := c.cfg.Token(ctx)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

// withoutAddress takes the address, which holds the question, out of the
// client's error.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// retryAfter reads how long the service asks to be left alone, in seconds or as
// a time (RFC 9110 §10.2.3); anything else is nothing.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, maxAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxAfter)
	}
	return 0
}

// newUUID makes a random UUID (RFC 9562 §5.4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return formatUUID(b, 4)
}

// requestID is the X-Request-ID of a try for a trace: the same each time, so
// that a repetition is known as one, and different for each try (RFC 9562 §5.8).
func requestID(trace string, t Try) string {
	sum := sha256.Sum256([]byte("counterproof pds " + strings.ToLower(trace) + " " + string(t)))
	return formatUUID([16]byte(sum[:16]), 8)
}

// formatUUID writes 16 bytes as a UUID of a version.
func formatUUID(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// isUUID reports a UUID as it is written in full.
func isUUID(text string) bool {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 || len(text) != 36 {
		return false
	}
	return text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-'
}
