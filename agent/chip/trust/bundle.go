package trust

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/chip/der"
)

// Contents is what a bundle holds: what the centre trusts, as it was received.
type Contents struct {
	Number int       // grows with every bundle
	Made   time.Time // to the second

	Anchors     [][]byte   // authorities' certificates that are trusted by themselves
	Links       [][]byte   // certificates that an authority made for its next key
	MasterLists [][]byte   // signed messages
	Pins        [][32]byte // SHA-256 of the certificates whose list signers are believed
	CRLs        [][]byte
	Deviations  [][]byte // signed messages
	Silent      []string // states (two letters) that publish no revocation list
}

// Bounds of a bundle.
const (
	maxBundle = 64 << 20 // bytes
	maxItems  = 1 << 14  // of one kind
	version   = 1
	// digestSize is the length of a pin, in bytes.
	digestSize = 32
)

// magic begins a bundle; it is signed with what follows.
const magic = "counterproof trust bundle 1\n"

// Reasons for refusing a bundle.
var (
	// ErrBundle says that bytes are no bundle that this version reads.
	ErrBundle = errors.New("the bytes are no trust bundle")
	// ErrUnsigned says that a bundle is not signed with the pinned key.
	ErrUnsigned = errors.New("the trust bundle is not signed by the centre")
	// ErrRollback says that a bundle is older than the one at hand.
	ErrRollback = errors.New("the trust bundle is older than the one at hand")
)

// Seal writes the contents as a bundle and signs it.
func (c Contents) Seal(key ed25519.PrivateKey) []byte {
	pins := make([][]byte, len(c.Pins))
	for i, p := range c.Pins {
		pins[i] = der.Octets(p[:])
	}
	silent := make([][]byte, len(c.Silent))
	for i, s := range c.Silent {
		silent[i] = der.String(der.PrintableString, s)
	}
	body := der.Seq(der.Int(version), der.Int(c.Number), der.Instant(c.Made),
		der.Seq(c.Anchors...), der.Seq(c.Links...), der.Seq(c.MasterLists...), der.Seq(pins...),
		der.Seq(c.CRLs...), der.Seq(c.Deviations...), der.Seq(silent...))
	signed := append([]byte(magic), body...)
	return append(signed, ed25519.Sign(key, signed)...)
}

// Parse reads a bundle that was signed with a key and makes a store of it. What in
// it is not vouched for is left out and counted (Store.Refused).
func Parse(raw []byte, key ed25519.PublicKey) (*Store, error) {
	at := len(raw) - ed25519.SignatureSize
	if len(raw) > maxBundle || at < len(magic) || len(key) != ed25519.PublicKeySize || !bytes.HasPrefix(raw, []byte(magic)) {
		return nil, ErrBundle
	}
	if !ed25519.Verify(key, raw[:at], raw[at:]) {
		return nil, ErrUnsigned
	}
	c, err := parseContents(raw[len(magic):at])
	if err != nil {
		return nil, err
	}
	return New(c), nil
}

// parseContents reads what is signed.
func parseContents(b []byte) (Contents, error) {
	var c Contents
	v, err := der.Whole(b, der.Sequence)
	if err != nil {
		return c, ErrBundle
	}
	r := v.Inside()
	if r.Want(der.Integer).Small() != version {
		return c, ErrBundle
	}
	c.Number = r.Want(der.Integer).Small()
	made, ok := r.Any().Time()
	c.Made = made
	c.Anchors, c.Links, c.MasterLists = items(r), items(r), items(r)
	for _, p := range items(r) {
		v, err := der.Whole(p, der.OctetString)
		if err != nil || len(v.Content) != digestSize {
			return c, ErrBundle
		}
		c.Pins = append(c.Pins, [32]byte(v.Content))
	}
	c.CRLs, c.Deviations = items(r), items(r)
	for _, s := range items(r) {
		v, _ := der.Whole(s, der.PrintableString)
		c.Silent = append(c.Silent, string(v.Content))
	}
	if r.End() != nil || !ok || c.Number < 1 {
		return c, ErrBundle
	}
	return c, nil
}

// items reads a list of values, as they are encoded.
func items(r *der.Reader) [][]byte {
	var all [][]byte
	in := r.Into(der.Sequence)
	for in.More() && len(all) <= maxItems {
		all = append(all, in.Any().Raw)
	}
	if in.Err() != nil || len(all) > maxItems {
		r.Fail()
	}
	return all
}

// Accept says whether a new store may take the place of the one at hand, which may
// be nil: its number must have grown. The caller keeps the last two.
func Accept(old, new *Store) error {
	switch {
	case old == nil:
		return nil
	case new.number < old.number, new.made.Before(old.made):
		return ErrRollback
	case new.number == old.number && !new.made.Equal(old.made):
		return ErrRollback
	}
	return nil
}

// Ages of a store (in days) and what a clock may be wrong by.
const (
	agingDays = 90
	oldDays   = 180
	slack     = 24 * time.Hour
)

// Aging reports a store that ought to be renewed; it goes on being used.
func (s *Store) Aging(at time.Time) bool {
	return !s.made.IsZero() && !at.Before(s.made.AddDate(0, 0, agingDays))
}

// InDate reports a store that is young enough to be believed in full, and not from
// the future.
func (s *Store) InDate(at time.Time) bool {
	return !s.made.IsZero() && at.Before(s.made.AddDate(0, 0, oldDays)) && !at.Before(s.made.Add(-slack))
}

// Number is the number of the bundle that the store was made of.
func (s *Store) Number() int { return s.number }

// Made is when the bundle was made.
func (s *Store) Made() time.Time { return s.made }

// silentFor reports a state that publishes no revocation list.
func (s *Store) silentFor(country string) bool { return slices.Contains(s.silent, country) }
