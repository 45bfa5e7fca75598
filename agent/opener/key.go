package opener

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/opener/vault"
	"github.com/counterproof/counterproof/agent/opener/watch"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Keygen makes one standing private key for each part of a record in the folder
// keys under dir, where there is none yet; a key that is there stays as it is. It
// returns the public half of every key in force, in the order of the parts. An
// empty suite is the default one, hybrid.
func Keygen(dir string, suite wire.Suite) ([]wire.Recipient, error) {
	return vault.Standing(vault.Config{Dir: dir}, suite, time.Now())
}

// scored reports whether a score rests on a part. Pictures and chip files may be
// sealed to people who keep their keys elsewhere.
func scored(part wire.PartName) bool { return part == wire.PartClaims || part == wire.PartAudit }

// open opens a record's parts and reads the visit in them. Parts that no score
// rests on may stay shut or erased. An error is that a token is away.
func (o *Opener) open(r Result, e wire.Envelope) (packet.Visit, Result, error) {
	var parts []packet.Part
	for i, described := range r.header.Parts {
		// A second part of one name would be read over the first.
		if named(r.header.Parts[:i], described.Name) {
			return packet.Visit{}, r.defective(KindDamaged, errors.New("a part is there twice")), nil
		}
		binding := seal.Binding(r.header.Record, described.Name, r.header.Training)
		plain, err := o.vault.Open(e.Parts[i], described, binding)
		switch {
		case err == nil:
			parts = append(parts, packet.Part{Name: packet.Name(described.Name), Bytes: plain})
		case errors.Is(err, vault.ErrAway) || errors.Is(err, vault.ErrPIN):
			return packet.Visit{}, r, err
		case errors.Is(err, vault.ErrErased) && scored(described.Name):
			return packet.Visit{}, r.defective(KindErased, err), nil
		case errors.Is(err, vault.ErrErased):
			r.Erased = append(r.Erased, described.Name)
		case errors.Is(err, vault.ErrUnknown) && scored(described.Name):
			return packet.Visit{}, r.defective(KindUnknownKey, err), nil
		case errors.Is(err, vault.ErrUnknown):
			r.Shut = append(r.Shut, described.Name)
		default:
			return packet.Visit{}, r.defective(KindDamaged, err), nil
		}
	}
	v, err := packet.Read(parts)
	if err != nil {
		// The cause may quote what was read.
		err = errors.New("the parts opened, but they hold no visit that this version reads")
		return packet.Visit{}, r.defective(KindUnreadable, err), nil
	}
	return v, r, nil
}

// named reports whether one of some parts has a name.
func named(parts []wire.PartInfo, name wire.PartName) bool {
	for _, p := range parts {
		if p.Name == name {
			return true
		}
	}
	return false
}

// turn makes the keys of the coming month and hands the centre those in force,
// where there are keys for months. A set that lacks a part is not handed out: no
// counter could seal a visit.
func (o *Opener) turn(ctx context.Context, now time.Time) error {
	made, err := o.vault.Ahead(now)
	if made {
		o.log.Warn("keys for the coming month were made: copy the folder or the token to where it is kept safe")
	}
	if err != nil || !o.vault.Monthly() {
		return err
	}
	keys := o.vault.InForce(now)
	if len(keys) < len(vault.Parts()) || o.vault.Handed(keys) {
		return nil
	}
	if err := o.centre.PutRecipients(ctx, keys); err != nil {
		return fmt.Errorf("handing in the keys: %w", err)
	}
	return o.vault.Hand(keys, now)
}

// reportAgain is how long the office is left alone after it took nothing.
const reportAgain = time.Minute

// report tells the centre's office what people should look at, and its log which
// keys were destroyed. What the centre does not take waits: no record does.
func (o *Opener) report(ctx context.Context, self wire.AgentID, now time.Time) error {
	flags, stones := o.watch.Pending(), o.vault.Tombstones(self)
	if len(flags)+len(stones) == 0 || now.Before(o.later) {
		return nil
	}
	posted, failed := 0, error(nil)
	if len(flags) > 0 {
		if failed = o.office.Flags(ctx, flags); failed == nil {
			if err := o.watch.Posted(len(flags)); err != nil {
				return err
			}
		}
	}
	if failed == nil && len(stones) > 0 {
		posted, failed = o.office.PostLeaves(ctx, stones)
		if err := o.vault.Told(posted, now); err != nil {
			return err
		}
	}
	if failed != nil && ctx.Err() == nil {
		o.later = now.Add(reportAgain)
		o.log.Warn("the centre's office took no flags or tombstones", "kind", string(wire.KindOf(failed)), "err", failed, "count", len(flags)+len(stones))
	}
	return ctx.Err()
}

// seen is what is held against other records.
func (r Result) seen(record store.Record) watch.Seen {
	s := watch.Seen{
		Rec: r.RecHash, Index: r.LogIndex, First: r.first, Offset: r.header.Offset, Counter: r.Agent, At: record.Receipt.At,
	}
	switch r.Kind {
	case KindSignature, KindDamaged, KindTraining, KindOtherVisit:
		s.Defect = true
	}
	for _, f := range r.Findings {
		s.Defect = s.Defect || f == check.ChainBroken
	}
	if v, is := r.Visit(); is {
		s.Visit = &v
	}
	return s
}
