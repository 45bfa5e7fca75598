// Package uplink carries sealed records from the counter's queue to the centre
// and the centre's signed answers back. It enrols with an invitation, keeps the
// certificate and the signed bundle fresh, sends what is due in the chain's
// order, and brings home the openers' news of what was sent. For the opener it
// fetches stored records and posts the news.
//
// It never opens a record, never deletes one, and never takes silence for
// success.
//
// # The laws
//
//   - A record is acknowledged only by a receipt that is signed with the
//     centre's key and names the agent, the number and the hash that were sent.
//     A refusal is held to the same.
//   - A record is one at a time: the chain is sent in order, its large parts
//     before it. Whatever is unclear is sent again; the centre stores it once.
//   - The centre is the one whose authority was pinned by the invitation.
//     Nobody else is spoken to, and no redirect is followed.
//   - Short retries belong to a request; long ones are written into the queue
//     and outlive the process. Both wait with full jitter, never in phase, and
//     a centre's Retry-After is a floor with a ceiling.
//   - A fork puts the queue into quarantine and nothing more is sent; a centre
//     that is behind gets its records again.
//   - A record that the counter's key has not signed, or that stands behind one
//     that was lost, is signed anew in its place before it is sent: the centre
//     would refuse it for ever, or wait for the lost one for ever.
//   - A clock that is wrong by years stops nothing: the centre's time is learned
//     from the centre itself, and only dates are forgiven, no key and no name.
//   - A bundle older than the one at hand is refused.
//   - News is on this counter's disk before it is acknowledged. What does not
//     verify is kept as unreadable, never shown as what it claims to be, and
//     hides nothing behind it.
package uplink

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/fetch"
	"github.com/counterproof/counterproof/sync/uplink/witness"
	"github.com/counterproof/counterproof/sync/wire"
)

// Config says what a client works with.
type Config struct {
	Keeper  *custody.Keeper // the signing key and, once enrolled, the identity
	Queue   *queue.Queue    // what is to be sent; nil for an opener
	Address string          // host:port of the centre, as the invitation said
	Log     *slog.Logger    // silent if nil

	// Rand draws evenly from [0, n); the standard library's if nil. It is used
	// for waits alone.
	Rand func(n int64) int64
	// News, if set, is told that news came and is in the queue, and how much. It
	// is called by whoever collects it and must not wait.
	News func(count int)
	// Proxy is the URL of the proxy to the centre, "none" for none; empty takes
	// HTTPS_PROXY and NO_PROXY of the environment.
	Proxy string
	// DayBytes is how many bytes of records are sent in a day (UTC) at most, as on
	// a metered line; 0 for no limit. What is left waits for the next day.
	DayBytes int64
	// Witness, if set, watches the centre's log: what it finds proven there is let
	// go of, Keep later (seven days if 0), or earlier where the disk is full.
	Witness *witness.Witness
	Keep    time.Duration
	// Files, if set, gets the files of the centre's bundle, piece by piece while
	// nothing else is to be sent.
	Files fetch.Shelf
	// Chore, if set, is called between sending, at least once a minute, by Run.
	Chore func(context.Context)
	// Wrap, if set, stands between the client and the connection: it sees
	// every try. A recorder or a faulty line is such a thing.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Client speaks with one centre. It is safe for use by many goroutines.
type Client struct {
	cfg  Config
	log  *slog.Logger
	wake chan struct{}

	collecting sync.Mutex             // held while news is fetched
	watched    time.Time              // when the log was last looked at; of the round alone
	unproved   map[wire.Seq]time.Time // since when proofs are waited for; of the round alone
	holes      int                    // how many missing notices were searched for; under collecting

	mu      sync.Mutex
	address string
	line    *line // the connection of the identity in force; nil before it is needed
	status  Status
	skew    time.Duration // the centre's clock minus this one's, once that mattered
	spent   ask.Meter

	files fetch.Files // Run's own
}

// Status is what a person may be told about the way to the centre.
type Status struct {
	Kind    wire.Kind     // why it fails now; KindNone while it does not
	At      time.Time     // when that was last learned
	Reached time.Time     // when the centre last gave a good answer
	Offset  time.Duration // the centre's clock minus this one's, at that time
	Bundle  uint64        // version of the bundle in force
}

// New makes a client. It starts nothing and opens no connection.
func New(cfg Config) *Client {
	if cfg.Rand == nil {
		cfg.Rand = rand.Int64N
	}
	log := cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	return &Client{
		cfg: cfg, address: cfg.Address, wake: make(chan struct{}, 1), log: log,
		files: fetch.Files{Shelf: cfg.Files, Log: log},
	}
}

// Watch opens the memory of the centre's log that lies in the file at path, for
// Config.Witness.
func Watch(path string) (*witness.Witness, error) { return witness.Open(path) }

// Wake makes Run look for work at once, as after an enqueue. A record that
// waits for its next try goes on waiting.
func (c *Client) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Status tells how the way to the centre is.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// note keeps what was just learned about the way to the centre.
func (c *Client) note(kind wire.Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Kind, c.status.At = kind, time.Now()
	if kind == wire.KindNone {
		c.status.Reached = c.status.At
	}
}

// fault wraps a failure, if there is one, with what was being done. A kind that
// is known already stays.
func fault(op string, kind wire.Kind, err error) error {
	if err == nil {
		return nil
	}
	if known := wire.KindOf(err); known != wire.KindNone {
		kind = known
	}
	return &wire.Error{Op: op, Kind: kind, Err: err}
}

// errQueue is why a client without a queue cannot run.
var errQueue = errors.New("a client without a queue has nothing to send")

// choreEvery is how often at least the chore is done.
const choreEvery = time.Minute

// Run sends what is due until ctx ends, and returns nil then. One Run at a time
// works on a queue. Failures are in Status and in the queue, never fatal.
func (c *Client) Run(ctx context.Context) error {
	if c.cfg.Queue == nil {
		return errQueue
	}
	var care care
	for ctx.Err() == nil {
		wait := c.pass(ctx, &care)
		if c.cfg.Chore != nil {
			c.cfg.Chore(ctx)
			wait = min(wait, choreEvery)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}
