package network

import (
	"net/http"
	"strconv"
	"time"
)

// Waits before trying again. The queue's and a request's follow the same rule.
const (
	WaitMin       = 2 * time.Second
	WaitMax       = 10 * time.Minute
	retryAfterMax = 15 * time.Minute
)

// Backoff is how long to wait after the given number of failed tries: full
// jitter between WaitMin and a ceiling that doubles up to WaitMax. What the
// centre asked for is a floor below that, up to retryAfterMax, and widens the
// jitter, so that those who were told the same do not return together.
func Backoff(failed int, asked time.Duration, rand func(int64) int64) time.Duration {
	ceiling := WaitMax
	if failed < 16 {
		ceiling = min(WaitMax, WaitMin<<(max(failed, 0)+1))
	}
	asked = min(max(asked, 0), retryAfterMax)
	spread := max(ceiling-WaitMin, asked)
	return max(WaitMin, asked) + time.Duration(rand(int64(spread)+1))
}

// RetryAfter reads what a busy centre asks for, in seconds or as a date (RFC 9110
// §10.2.3); anything else is nothing.
func RetryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	until, dated := http.ParseTime(h.Get("Retry-After"))
	sent, told := http.ParseTime(h.Get("Date"))
	if dated == nil && told == nil { // by the sender's own clock, whatever ours says
		n, err = int(min(until.Sub(sent), retryAfterMax)/time.Second), nil
	}
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int(retryAfterMax/time.Second))) * time.Second
}
