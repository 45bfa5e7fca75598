// Package line is a line between a counter and the centre that loses, alters,
// doubles and delays what it carries, as often as it is told to.
//
// It never invents a request, and alters nothing but bodies.
//
// # The laws
//
//   - One fault at most befalls a request, beside slowness: a run that meets none
//     of a kind says so in what it counts.
//   - The faults come as the seed says, so that a run can be had again.
package line

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Faults are how often a line does what it should not, in parts of 1,000.
type Faults struct {
	Lost          int // the request never arrives
	Altered       int // one bit of the request's body is changed
	Twice         int // the request is delivered twice
	AnswerLost    int // the centre has answered, the answer is lost
	AnswerAltered int // one bit of the answer's body is changed
	Slow          int // the request takes longer by up to 200 ms
}

// Usual are the faults of a bad day: 19 requests in 100 meet one.
func Usual() Faults {
	return Faults{Lost: 50, Altered: 20, Twice: 30, AnswerLost: 60, AnswerAltered: 10, Slow: 20}
}

// Seen counts what a line did.
type Seen struct {
	Requests      int `json:"requests"`
	Lost          int `json:"requests_lost"`
	Altered       int `json:"requests_altered"`
	Twice         int `json:"requests_doubled"`
	AnswerLost    int `json:"answers_lost"`
	AnswerAltered int `json:"answers_altered"`
	Slow          int `json:"requests_slowed"`
}

// The errors that a faulty line gives.
var (
	errLost  = errors.New("the line is down")
	errReset = errors.New("the connection was reset")
)

// slowest is how long a slow line takes longer at most.
const slowest = 200 * time.Millisecond

// Line decides the fate of every request that goes over one of its transports.
type Line struct {
	faults Faults
	mu     sync.Mutex
	rng    *rand.Rand
	seen   Seen
}

// New makes a line whose faults come as its seed says.
func New(f Faults, seed uint64) *Line {
	return &Line{faults: f, rng: rand.New(rand.NewPCG(seed, 1))}
}

// Seen tells what the line did so far.
func (l *Line) Seen() Seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// fate is what befalls one request.
type fate struct {
	lost, altered, twice, answerLost, answerAltered bool
	slow                                            time.Duration
}

// draw picks the fate of one request. One fault at most befalls it, beside
// slowness.
func (l *Line) draw() fate {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen.Requests++
	var f fate
	p := l.rng.IntN(1000)
	for _, one := range []struct {
		share int
		set   *bool
		count *int
	}{
		{l.faults.Lost, &f.lost, &l.seen.Lost},
		{l.faults.Altered, &f.altered, &l.seen.Altered},
		{l.faults.Twice, &f.twice, &l.seen.Twice},
		{l.faults.AnswerLost, &f.answerLost, &l.seen.AnswerLost},
		{l.faults.AnswerAltered, &f.answerAltered, &l.seen.AnswerAltered},
	} {
		if p >= 0 && p < one.share {
			*one.set = true
			*one.count++
		}
		p -= one.share
	}
	if l.rng.IntN(1000) < l.faults.Slow {
		f.slow = time.Duration(l.rng.Int64N(int64(slowest)))
		l.seen.Slow++
	}
	return f
}

// Over is a transport that has the line's faults and inner's connections.
func (l *Line) Over(inner http.RoundTripper) http.RoundTripper { return faulty{l, inner} }

// faulty carries requests as the line decides.
type faulty struct {
	line  *Line
	inner http.RoundTripper
}

// RoundTrip carries one request to its fate.
func (t faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := drain(r.Body)
	if err != nil {
		return nil, err
	}
	f := t.line.draw()
	if f.slow > 0 {
		timer := time.NewTimer(f.slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if f.lost {
		return nil, errLost
	}
	if f.altered {
		t.line.flip(body)
	}
	if f.twice {
		if resp, err := t.carry(r, body); err == nil {
			_, _ = drain(resp.Body)
		}
	}
	resp, err := t.carry(r, body)
	if err != nil {
		return nil, err
	}
	return t.answer(resp, f)
}

// answer lets the fate befall what came back.
func (t faulty) answer(resp *http.Response, f fate) (*http.Response, error) {
	if !f.answerLost && !f.answerAltered {
		return resp, nil
	}
	b, err := drain(resp.Body)
	if err != nil || f.answerLost {
		return nil, errors.Join(errReset, err)
	}
	t.line.flip(b)
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp, nil
}

// carry sends a request with the given body.
func (t faulty) carry(r *http.Request, body []byte) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if len(body) == 0 {
		in.Body = http.NoBody
	}
	return t.inner.RoundTrip(in)
}

// flip changes one bit, if there is one.
func (l *Line) flip(b []byte) {
	if len(b) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b[l.rng.IntN(len(b))] ^= 1 << l.rng.IntN(8)
}

// drain reads a body whole and closes it.
func drain(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(body)
	return b, errors.Join(err, body.Close())
}
