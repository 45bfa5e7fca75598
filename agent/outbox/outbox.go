// Package outbox is everything between a decided visit and the centre: it seals
// the visit's parts to the centre's public keys, puts the record into the queue,
// sends what waits, and tells how it stands. The counter's identity and keys are
// in its care.
//
// It cannot open what it sealed, never deletes a record and knows nothing of
// visits but their packed parts.
//
// A counter whose key is lost, or whose chain is in doubt, is enrolled again and
// keeps its queue: the records that wait are carried over into a new chain, under
// the new key, with the first header and signature inside. The same way they come
// out of one counter as a file and into another.
//
// # The laws
//
//   - Record returns after the record is on disk. The same record name again
//     finds the first record and adds nothing.
//   - A part without a key of the centre's is an error: nothing is left out.
//   - What the screens hear of a record never tells who it is about.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// Outbox is the way out of one counter. Its methods may be called from any
// goroutine.
type Outbox struct {
	app    string
	boot   [16]byte
	dir    string
	keeper *custody.Keeper
	queue  *queue.Queue
	damage *queue.Damage
	uplink *uplink.Client
	trust  *trust
	lost   uint64 // records that the hardware's counter knows of and the queue does not
}

// Settings say how the way out is set up. The zero value keeps keys without a
// TPM and takes the proxy from the environment.
type Settings struct {
	// TPM is "auto" for the machine's own, a device file or a socket; empty for
	// none. Keys are drawn in it where it is there.
	TPM string `json:"tpm"`
	// Grade is the least that keys must be kept with: tpm, dpapi or file; empty
	// for any.
	Grade string `json:"key_grade"`
	// Proxy is the URL of the proxy to the centre, "none" for none at all; empty
	// takes HTTPS_PROXY and NO_PROXY.
	Proxy string `json:"proxy"`
	// DayBytes is how many bytes a day are sent at most, as on a metered line;
	// 0 for no limit.
	DayBytes int64 `json:"day_bytes"`
	// Keep is how long a record stays whole here after the centre has proven that
	// it has it; 0 for seven days.
	Keep time.Duration `json:"keep"`
}

// Identity is who this counter is.
type Identity struct {
	Agent, Site string
	Training    bool
}

// Open opens the identity and the queue with the zero Settings.
func Open(dir, app string) (*Outbox, error) { return OpenWith(dir, app, Settings{}) }

// OpenWith opens the identity and the queue that lie in the counter's data
// folder, or begins them. app is the program's version. A queue that was damaged
// works again with what could be saved; State tells. Keys that cannot be used are
// no error: what waits is safe, and CanSeal says why no visit begins.
func OpenWith(dir, app string, set Settings) (*Outbox, error) {
	keeper, err := custody.OpenWith(custody.Config{
		Dir: filepath.Join(dir, "keys"), TPM: set.TPM, Demand: custody.Grade(set.Grade),
	})
	if err != nil {
		return nil, fmt.Errorf("opening the counter's keys: %w", err)
	}
	o := &Outbox{app: app, boot: bootID(), dir: dir, keeper: keeper, trust: &trust{dir: dir}}
	if err := o.openQueue(context.Background()); err != nil {
		return nil, errors.Join(&proof.Error{Op: "opening the queue", Kind: kindOf(err), Err: err}, keeper.Close())
	}
	if o.damage != nil {
		slog.Error("the queue was damaged and put aside", "kind", string(proof.KindQueueDamaged))
	}
	if why := keeper.Trouble(); why != nil {
		slog.Error("the counter's key cannot be used", "kind", string(kindOf(why)), "err", why)
	}
	watch, err := uplink.Watch(filepath.Join(dir, "log-checkpoint"))
	if err != nil {
		return nil, errors.Join(&proof.Error{Op: "opening the queue", Kind: proof.KindDiskFails, Err: err}, o.Close())
	}
	o.uplink = uplink.New(uplink.Config{
		Keeper: keeper, Queue: o.queue, Address: centreAddress(dir), Log: slog.Default(),
		Proxy: set.Proxy, DayBytes: set.DayBytes, Chore: o.tidy, Files: o.trust, Witness: watch, Keep: set.Keep,
	})
	return o, nil
}

// Run sends what waits until ctx ends, and returns nil then.
func (o *Outbox) Run(ctx context.Context) error { return o.uplink.Run(ctx) }

// Close lets go of the queue's file and of the keys.
func (o *Outbox) Close() error { return errors.Join(o.queue.Close(), o.keeper.Close()) }

// Wrap and Unwrap keep other rooms' keys under the counter's own (custody).
func (o *Outbox) Wrap(purpose string, key []byte) ([]byte, error) {
	return o.keeper.Wrap(purpose, key)
}

// Unwrap opens what Wrap closed, for the same purpose.
func (o *Outbox) Unwrap(purpose string, wrapped []byte) ([]byte, error) {
	return o.keeper.Unwrap(purpose, wrapped)
}

// Identity is who the counter is; KindNotEnrolled before the enrolment.
func (o *Outbox) Identity() (Identity, error) {
	id, err := o.identity()
	return Identity{Agent: string(id.Agent), Site: string(id.Site), Training: id.Training}, err
}

func (o *Outbox) identity() (custody.Identity, error) {
	id, ok, err := o.keeper.Identity()
	if err != nil || !ok {
		return id, &proof.Error{Op: "reading the counter's identity", Kind: proof.KindNotEnrolled, Err: err}
	}
	return id, nil
}

// Enrol spends an invitation and keeps the identity that it gives.
// KindEnrolPending says that a second person at the centre must approve it; the
// same invitation is given again then.
func (o *Outbox) Enrol(ctx context.Context, invitation string) (Identity, error) {
	return o.EnrolWaiting(ctx, invitation, nil)
}

// EnrolWaiting is Enrol that waits for the second person until ctx ends. It calls
// waiting once, before it waits, with the name to be approved.
func (o *Outbox) EnrolWaiting(ctx context.Context, invitation string, waiting func(agent string)) (Identity, error) {
	invite, err := store.ParseInvite(invitation)
	if err != nil {
		return Identity{}, &proof.Error{Op: "reading the invitation", Kind: proof.KindEnrolCode, Err: err}
	}
	// An invitation is spent once, so where the centre is must be on disk before.
	if err := writeDown(filepath.Join(o.dir, nextCentreFile), invite.Address); err != nil {
		return Identity{}, err
	}
	if _, err := o.uplink.EnrolWaiting(ctx, invitation, once(waiting)); err != nil {
		return Identity{}, &proof.Error{Op: "enrolling", Kind: kindOf(err), Err: err}
	}
	if err := os.Rename(filepath.Join(o.dir, nextCentreFile), filepath.Join(o.dir, centreFile)); err != nil {
		return Identity{}, fmt.Errorf("keeping the centre's address: %w", err)
	}
	return o.Identity()
}

// once hands the first agent's name on as a text; nil stays nil.
func once(waiting func(agent string)) func(wire.AgentID) {
	if waiting == nil {
		return nil
	}
	var first sync.Once
	return func(a wire.AgentID) { first.Do(func() { waiting(string(a)) }) }
}

// Files that hold the centre's address, as the invitation said it: the one that
// is in use, and that of an enrolment that is under way or was interrupted.
const (
	centreFile     = "centre"
	nextCentreFile = "centre.next"
)

// centreAddress is where the centre is; "" before the enrolment. After a first
// enrolment that was interrupted, it is where that one was sent.
func centreAddress(dir string) string {
	for _, name := range []string{centreFile, nextCentreFile} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil && len(b) > 0 {
			return strings.TrimSpace(string(b))
		}
	}
	return ""
}

// writeDown stores a line of text and waits until it is on the disk.
func writeDown(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keeping the centre's address: %w", err)
	}
	_, err = f.WriteString(text + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("keeping the centre's address: %w", err)
	}
	return nil
}

// clockOff is by how much this machine's clock may differ from the centre's before
// that is told. Records go all the same.
const clockOff = 5 * time.Minute

// State is how the queue stands, and why sending fails if it does.
func (o *Outbox) State(ctx context.Context) api.Queue {
	s, err := o.queue.Status(ctx)
	if err != nil {
		return api.Queue{Problem: kindOf(err)}
	}
	q := api.Queue{
		Waiting: s.Waiting, Oldest: s.Oldest, Alarms: s.Refused + s.Quarantined,
		Acked:    s.Total - s.Waiting - s.Refused - s.Quarantined,
		LastSent: s.LastReceipt, Problem: kinds[o.uplink.Status().Kind], SafeOff: true,
	}
	if off := o.uplink.Status().Offset.Abs(); off > clockOff && q.Problem == proof.KindNone {
		q.Problem = proof.KindClock
	}
	switch {
	case s.Room == queue.RoomNone || s.Room == queue.RoomShort:
		q.Problem = proof.KindDiskFull
	case o.damage != nil || o.lost > 0:
		q.Problem = proof.KindQueueDamaged
	case s.Unspooled:
		q.Problem = proof.KindDiskFails
	}
	return q
}

// listed is how many records a list shows.
const listed = 200

// List is the queue record by record, newest first.
func (o *Outbox) List(ctx context.Context) (api.QueueList, error) {
	items, err := o.queue.Items(ctx, listed)
	if err != nil {
		return api.QueueList{}, &proof.Error{Op: "listing the queue", Kind: kindOf(err), Err: err}
	}
	list := api.QueueList{Queue: o.State(ctx), Items: []api.QueueItem{}}
	for _, i := range items {
		list.Items = append(list.Items, listedItem(i))
	}
	return list, nil
}

// nextTry is when a record that waits is sent again.
func nextTry(i queue.Item) time.Time {
	if i.State == wire.Sealed || i.State == wire.BlobsSent {
		return i.NextTry
	}
	return time.Time{}
}

// kindOf is the Kind under which a person hears of a failure of keys, queue,
// uplink or centre.
func kindOf(err error) proof.Kind {
	if k, ok := kinds[wire.KindOf(err)]; ok && k != proof.KindNone {
		return k
	}
	if e, ok := errors.AsType[*proof.Error](err); ok {
		return e.Kind
	}
	if errors.Is(err, custody.ErrLost) || errors.Is(err, custody.ErrGrade) || errors.Is(err, custody.ErrAway) {
		return proof.KindKeyAway // enrolling again ends each of them
	}
	return proof.KindInternal
}

// kinds says in the words of package proof what the wire's kinds mean.
var kinds = map[wire.Kind]proof.Kind{
	wire.KindNone:        proof.KindNone,
	wire.KindUnreachable: proof.KindCentreUnreachable, wire.KindCertificate: proof.KindCentreCertificate,
	wire.KindClock: proof.KindClock, wire.KindUnauthorised: proof.KindCentreUnauthorised,
	wire.KindQuarantined: proof.KindQuarantined, wire.KindRefused: proof.KindCentreRefused,
	wire.KindShed: proof.KindCentreBusy, wire.KindUpgrade: proof.KindUpgrade, wire.KindProtocol: proof.KindCentreProtocol,
	wire.KindDisk: proof.KindDiskFull, wire.KindDamaged: proof.KindQueueDamaged,
	wire.KindNotEnrolled: proof.KindNotEnrolled, wire.KindCode: proof.KindEnrolCode,
	wire.KindPending: proof.KindEnrolPending, wire.KindLog: proof.KindCentreLog,
	uplink.KindPortal: proof.KindSignInNetwork,
}
