package outbox

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// Record seals the parts and enqueues them under the record's name. Doing it
// again finds the first.
func (o *Outbox) Record(ctx context.Context, record [16]byte, training bool, parts []packet.Part) (proof.Ref, error) {
	identity, bundle, err := o.bundle()
	if err != nil {
		return "", err
	}
	id := wire.RecordID(record)
	sealed, infos, err := sealParts(bundle, id, training, parts)
	if err != nil {
		return "", err
	}
	h := wire.Header{
		Version: 1, Record: id, Wall: time.Now().UTC().Truncate(time.Millisecond),
		Offset: o.uplink.Status().Offset.Truncate(time.Millisecond), Boot: o.boot, App: o.app,
		Config: strconv.FormatUint(bundle.Version, 10), Training: training, Parts: infos,
	}
	item, err := o.enqueue(ctx, identity.Agent, h, sealed)
	if err != nil {
		return "", &proof.Error{Op: "queueing a record", Kind: kindOf(err), Err: err}
	}
	o.uplink.Wake()
	return proof.Ref(item.Ref), nil
}

// enqueue signs a record for the place that the queue gives it and stores it.
//
// A key that fails now does not cost the visit: the record is signed with a key
// that is drawn for it and thrown away, so that it is on the disk in its place. The
// uplink sends nothing that the counter's key has not signed, and signs it anew
// when there is a key again.
func (o *Outbox) enqueue(ctx context.Context, agent wire.AgentID, h wire.Header, parts []wire.Part) (queue.Item, error) {
	return o.queue.Enqueue(ctx, h.Record, func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		h.Agent, h.Seq, h.Prev = agent, seq, prev
		var err error
		if h.Counter, err = o.keeper.Raise(); err != nil {
			slog.Error("the hardware's counter fails", "kind", string(kindOf(err)), "err", err)
		}
		e, err := seal.Envelope(h, parts, o.keeper.Signer())
		if !errors.Is(err, custody.ErrAway) && !errors.Is(err, custody.ErrLost) {
			return e, err
		}
		slog.Error("a record waits for the counter's key", "kind", string(kindOf(err)), "err", err)
		standIn, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return e, err
		}
		return seal.Envelope(h, parts, standIn)
	})
}

// bundle is the counter's identity with the centre's verified bundle.
func (o *Outbox) bundle() (custody.Identity, wire.Bundle, error) {
	identity, err := o.identity()
	if err != nil {
		return identity, wire.Bundle{}, err
	}
	bundle, err := seal.VerifyBundle(identity.Bundle, identity.BundleKey)
	if err != nil {
		return identity, bundle, &proof.Error{Op: "sealing a record", Kind: proof.KindNotEnrolled, Err: err}
	}
	return identity, bundle, nil
}

// CanSeal says whether a visit could be sealed and kept at its end: KindNotEnrolled
// before the enrolment, while the counter's key cannot be used, and as long as the
// centre has given no key for a part; KindDiskFull where there is no room for one.
func (o *Outbox) CanSeal() error {
	_, bundle, err := o.bundle()
	if err != nil {
		return err
	}
	if why := o.keeper.Trouble(); why != nil {
		return &proof.Error{Op: "beginning a visit", Kind: kindOf(why), Err: why}
	}
	if s, err := o.queue.Status(context.Background()); err != nil || s.Room == queue.RoomNone {
		return &proof.Error{Op: "beginning a visit", Kind: proof.KindDiskFull, Err: err}
	}
	for _, name := range []wire.PartName{wire.PartClaims, wire.PartAudit, wire.PartEvidence} {
		if _, ok := recipient(bundle, name); !ok {
			o.uplink.Wake() // a newer bundle may have it
			return noKey(name)
		}
	}
	return nil
}

// noKey is a part that nobody could open.
func noKey(name wire.PartName) error {
	return &proof.Error{Op: "sealing a record", Kind: proof.KindNotEnrolled, Err: errors.New("the centre has given no key for part " + string(name))}
}

// sealParts seals every part to the recipient that the bundle names for it. A
// chip's files for which there is none are left out: the visit must not wait for
// a centre that does not want them yet.
func sealParts(b wire.Bundle, id wire.RecordID, training bool, parts []packet.Part) ([]wire.Part, []wire.PartInfo, error) {
	var sealed []wire.Part
	var infos []wire.PartInfo
	for _, p := range parts {
		name := wire.PartName(p.Name)
		to, ok := recipient(b, name)
		if !ok && name == wire.PartChip {
			continue
		}
		if !ok {
			return nil, nil, noKey(name)
		}
		part, info, err := seal.Seal(to, name, seal.Binding(id, name, training), p.Bytes)
		if err != nil {
			return nil, nil, &proof.Error{Op: "sealing a record", Kind: proof.KindInternal, Err: err}
		}
		sealed, infos = append(sealed, part), append(infos, info)
	}
	return sealed, infos, nil
}

// recipient is the newest key for a part: the last one that the bundle lists.
func recipient(b wire.Bundle, name wire.PartName) (wire.Recipient, bool) {
	for i := len(b.Recipients) - 1; i >= 0; i-- {
		if b.Recipients[i].Part == name {
			return b.Recipients[i], true
		}
	}
	return wire.Recipient{}, false
}

// bootID is random for each start of the machine, or of the daemon where the
// system does not tell (Linux random(4)).
func bootID() [16]byte {
	var id [16]byte
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		sum := wire.HashOf(b)
		copy(id[:], sum[:])
		return id
	}
	rand.Read(id[:])
	return id
}
