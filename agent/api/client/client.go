// Package client speaks the counter's local interface (package api) over its
// Unix socket. The window and the demo use it; so may other programs.
//
// It keeps no state but the session's token and writes nothing to disk.
//
// # The laws
//
//   - Every failure is a *proof.Error with the Kind to show; a daemon that does
//     not answer is KindDaemonAway.
//   - Answers are bounded: a broken daemon cannot fill the memory.
package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of what is read from the daemon.
const (
	maxAnswer  = 4 << 20
	maxPicture = 32 << 20
	maxLine    = 1 << 20
)

// Client speaks to one daemon. Its methods may be called from any goroutine.
type Client struct {
	http *http.Client

	mu    sync.Mutex
	token string
}

// New makes a client of the daemon at a socket; it connects with the first call.
func New(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConns: 4}}}
}

// SetToken goes on with a session that was begun before.
func (c *Client) SetToken(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
}

// Until is when trying again makes sense, for an error that says so; zero for
// others.
func Until(err error) time.Time {
	if u, ok := errors.AsType[*later](err); ok {
		return u.at
	}
	return time.Time{}
}

// later is a cause that knows a time.
type later struct{ at time.Time }

// Error tells the time.
func (l *later) Error() string { return "not before " + l.at.Format(time.RFC3339) }

// Status asks how the counter stands; it needs no session.
func (c *Client) Status(ctx context.Context) (api.Status, error) {
	return call[api.Status](ctx, c, http.MethodGet, api.PathStatus, nil)
}

// FirstClerk makes the first account and signs it in.
func (c *Client) FirstClerk(ctx context.Context, in api.FirstClerk) (api.Session, error) {
	return c.keep(call[api.Session](ctx, c, http.MethodPost, api.PathFirst, in))
}

// SignIn begins a session, which the client then uses.
func (c *Client) SignIn(ctx context.Context, in api.SignIn) (api.Session, error) {
	return c.keep(call[api.Session](ctx, c, http.MethodPost, api.PathSessions, in))
}

// SignOut ends the session.
func (c *Client) SignOut(ctx context.Context) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, api.PathSessions, nil)
	c.SetToken("")
	return err
}

// Clerks lists everybody who has an account.
func (c *Client) Clerks(ctx context.Context) (api.ClerkList, error) {
	return call[api.ClerkList](ctx, c, http.MethodGet, api.PathClerks, nil)
}

// AddClerk makes a further account; the session must be a supervisor's.
func (c *Client) AddClerk(ctx context.Context, in api.NewClerk) (api.ClerkList, error) {
	return call[api.ClerkList](ctx, c, http.MethodPost, api.PathClerks, in)
}

// ChangeClerk changes another's account; the session must be a supervisor's.
func (c *Client) ChangeClerk(ctx context.Context, whom proof.OperatorID, in api.ClerkChange) (api.ClerkList, error) {
	return call[api.ClerkList](ctx, c, http.MethodPost, fill(api.PathClerk, proof.CaseID(whom), ""), in)
}

// SignInWithCode sets an own secret with a one-time code and begins a session.
func (c *Client) SignInWithCode(ctx context.Context, in api.CodeSignIn) (api.Session, error) {
	return c.keep(call[api.Session](ctx, c, http.MethodPost, api.PathCode, in))
}

// ChangeSecret changes the secret of whoever is signed in.
func (c *Client) ChangeSecret(ctx context.Context, in api.NewSecret) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, api.PathSecret, in)
	return err
}

// Activity reads who did what since a moment.
func (c *Client) Activity(ctx context.Context, from time.Time) (api.Activity, error) {
	query := url.Values{"from": {from.Format(time.RFC3339)}}
	return call[api.Activity](ctx, c, http.MethodGet, api.PathActivity+"?"+query.Encode(), nil)
}

// PrintActivity prints what Activity reads.
func (c *Client) PrintActivity(ctx context.Context, in api.Report) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, api.PathReport, in)
	return err
}

// Unlock lets a locked clerk in again.
func (c *Client) Unlock(ctx context.Context, in api.Unlock) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, api.PathUnlock, in)
	return err
}

// StartVisit opens a visit.
func (c *Client) StartVisit(ctx context.Context, in api.NewVisit) (api.Visit, error) {
	return call[api.Visit](ctx, c, http.MethodPost, api.PathVisits, in)
}

// Visit reads the open visit, or the one that ended last.
func (c *Client) Visit(ctx context.Context) (api.Visit, error) {
	return call[api.Visit](ctx, c, http.MethodGet, fill(api.PathVisit, "current", ""), nil)
}

// Answer answers an ask; for a capture it waits until the capture ends.
func (c *Client) Answer(ctx context.Context, id proof.CaseID, in api.Answer) (api.Visit, error) {
	return call[api.Visit](ctx, c, http.MethodPost, fill(api.PathAnswers, id, ""), in)
}

// HandOver gives the visit to another clerk, whose session the client then uses.
func (c *Client) HandOver(ctx context.Context, id proof.CaseID, to api.SignIn) (api.Session, error) {
	return c.keep(call[api.Session](ctx, c, http.MethodPost, fill(api.PathHandOver, id, ""), to))
}

// Second signs another clerk in beside the first, who confirms what was seen or
// does not. The session stays.
func (c *Client) Second(ctx context.Context, id proof.CaseID, in api.SecondSignIn) (api.Visit, error) {
	return call[api.Visit](ctx, c, http.MethodPost, fill(api.PathSecond, id, ""), in)
}

// Notices reads the news of earlier visits.
func (c *Client) Notices(ctx context.Context) (api.NoticeList, error) {
	return call[api.NoticeList](ctx, c, http.MethodGet, api.PathNotices, nil)
}

// LookForNews has the centre asked for news at once, and reads all that there is.
func (c *Client) LookForNews(ctx context.Context) (api.NoticeList, error) {
	return call[api.NoticeList](ctx, c, http.MethodPost, api.PathLook, struct{}{})
}

// NoticeSeen marks a notice as seen, and prints its slip if that is wished.
func (c *Client) NoticeSeen(ctx context.Context, in api.NoticeSeen) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, api.PathNotices, in)
	return err
}

// Queue reads the queue record by record.
func (c *Client) Queue(ctx context.Context) (api.QueueList, error) {
	return call[api.QueueList](ctx, c, http.MethodGet, api.PathQueue, nil)
}

// Devices reads how the devices stand.
func (c *Client) Devices(ctx context.Context) (api.DeviceList, error) {
	return call[api.DeviceList](ctx, c, http.MethodGet, api.PathDevices, nil)
}

// Picture fetches a picture of the open visit, as JPEG.
func (c *Client) Picture(ctx context.Context, id proof.CaseID, picture proof.PictureID) ([]byte, error) {
	resp, err := c.send(ctx, http.MethodGet, fill(api.PathPictures, id, picture), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return bounded(resp.Body, maxPicture)
}

// keep uses a session from now on.
func (c *Client) keep(s api.Session, err error) (api.Session, error) {
	if err == nil {
		c.SetToken(s.Token)
	}
	return s, err
}

// Events hears what changes until ctx ends or the daemon goes away.
func (c *Client) Events(ctx context.Context, hear func(api.Event)) error {
	resp, err := c.send(ctx, http.MethodGet, api.PathEvents, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		var e api.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return &proof.Error{Op: "reading an event", Kind: proof.KindInternal, Err: err}
		}
		hear(e)
	}
	return away("reading events", errors.Join(lines.Err(), ctx.Err()))
}

// Preview shows the frames of the captures that run until ctx ends, show says
// no or the daemon goes away.
func (c *Client) Preview(ctx context.Context, show func(jpeg []byte) bool) error {
	resp, err := c.send(ctx, http.MethodGet, api.PathPreview, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return &proof.Error{Op: "reading the preview", Kind: proof.KindInternal, Err: err}
	}
	frames := multipart.NewReader(resp.Body, params["boundary"])
	for {
		part, err := frames.NextPart()
		if err != nil {
			return away("reading the preview", errors.Join(err, ctx.Err()))
		}
		b, err := bounded(part, maxPicture)
		if err != nil {
			return err
		}
		if !show(b) {
			return nil
		}
	}
}

// fill puts the case and the picture into a path, each as one element of it.
func fill(path string, id proof.CaseID, picture proof.PictureID) string {
	return strings.NewReplacer("{id}", url.PathEscape(string(id)), "{picture}", url.PathEscape(string(picture))).Replace(path)
}

// call sends a request and reads its JSON answer.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	b, err := bounded(resp.Body, maxAnswer)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return out, &proof.Error{Op: "reading an answer", Kind: proof.KindInternal, Err: err}
	}
	return out, nil
}

// send sends a request; an answer that is a Problem becomes an error.
func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, &proof.Error{Op: "writing a request", Kind: proof.KindInternal, Err: err}
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://counter"+path, body)
	if err != nil {
		return nil, &proof.Error{Op: "writing a request", Kind: proof.KindInternal, Err: err}
	}
	c.mu.Lock()
	req.Header.Set(api.TokenHeader, c.token)
	c.mu.Unlock()
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, away("asking the daemon", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, problem(resp)
}

// problem reads what went wrong.
func problem(resp *http.Response) error {
	var p api.Problem
	b, err := bounded(resp.Body, maxAnswer)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || p.Kind == proof.KindNone {
		return &proof.Error{Op: "asking the daemon", Kind: proof.KindInternal, Err: err}
	}
	failed := &proof.Error{Op: "asking the daemon", Kind: p.Kind}
	if !p.Until.IsZero() {
		failed.Err = &later{p.Until}
	}
	return failed
}

// bounded reads a body up to a limit.
func bounded(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, away("reading an answer", err)
	}
	if int64(len(b)) > limit {
		return nil, &proof.Error{Op: "reading an answer", Kind: proof.KindInternal}
	}
	return b, nil
}

// away is a connection that failed: the caller gave up, or the daemon is gone.
func away(op string, err error) error {
	kind := proof.KindDaemonAway
	if errors.Is(err, context.Canceled) {
		kind = proof.KindCancelled
	}
	return &proof.Error{Op: op, Kind: kind, Err: err}
}
