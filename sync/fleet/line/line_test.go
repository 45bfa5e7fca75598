package line

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/bits"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// echo answers with what it was sent, and remembers it.
type echo struct{ got [][]byte }

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := drain(r.Body)
	e.got = append(e.got, b)
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(bytes.Clone(b)))}, err
}

// sent carries one request over a line that always has the given faults.
func sent(t *testing.T, f Faults) (e *echo, answer []byte, err error) {
	t.Helper()
	e = &echo{}
	req, err := http.NewRequestWithContext(t.Context(), "POST", "https://centre.example/", strings.NewReader("whole"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := New(f, 3).Over(e).RoundTrip(req)
	if err != nil {
		return e, nil, err
	}
	answer, err = drain(resp.Body)
	return e, answer, err
}

// flipped counts the bits in which two texts differ.
func flipped(a, b []byte) int {
	n := 0
	for i := range a {
		n += bits.OnesCount8(a[i] ^ b[i])
	}
	return n
}

func TestLine(t *testing.T) {
	t.Parallel()
	whole := []byte("whole")
	e, answer, err := sent(t, Faults{})
	if err != nil || !bytes.Equal(answer, whole) || len(e.got) != 1 {
		t.Errorf("whole: got %q, %v", answer, err)
	}
	if e, _, err := sent(t, Faults{Lost: 1000}); !errors.Is(err, errLost) || len(e.got) != 0 {
		t.Errorf("lost: %d arrived, %v", len(e.got), err)
	}
	if e, _, err := sent(t, Faults{AnswerLost: 1000}); !errors.Is(err, errReset) || len(e.got) != 1 {
		t.Errorf("answer lost: %d arrived, %v", len(e.got), err)
	}
	if e, answer, err := sent(t, Faults{Twice: 1000}); err != nil || len(e.got) != 2 || !bytes.Equal(answer, whole) {
		t.Errorf("twice: %d arrived, %v", len(e.got), err)
	}
	if e, _, err := sent(t, Faults{Altered: 1000}); err != nil || flipped(e.got[0], whole) != 1 {
		t.Errorf("altered: got %q, %v", e.got, err)
	}
	if e, answer, err := sent(t, Faults{AnswerAltered: 1000}); err != nil || flipped(answer, whole) != 1 || !bytes.Equal(e.got[0], whole) {
		t.Errorf("answer altered: got %q, %v", answer, err)
	}
}

// A slow line waits, and no longer than its request is wanted.
func TestLineSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(Faults{Slow: 1000}, 1)
		over := l.Over(&echo{})
		begun := time.Now()
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://centre.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := over.RoundTrip(req); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took == 0 || took > slowest {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := over.RoundTrip(req.WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the end of the request", err)
		}
	})
}

// The faults come about as often as they are asked for, the same for one seed.
func TestLineShares(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) Seen {
		l := New(Usual(), seed)
		for range 20_000 {
			l.draw()
		}
		return l.Seen()
	}
	got := draw(5)
	if got != draw(5) {
		t.Error("one seed gives two lines")
	}
	for name, pair := range map[string][2]int{
		"lost": {got.Lost, Usual().Lost}, "altered": {got.Altered, Usual().Altered}, "twice": {got.Twice, Usual().Twice},
		"answer lost": {got.AnswerLost, Usual().AnswerLost}, "slow": {got.Slow, Usual().Slow},
	} {
		if n, want := pair[0], pair[1]*20; n < want*3/4 || n > want*5/4 {
			t.Errorf("%s: %d of 20,000, want about %d", name, n, want)
		}
	}
}
