package access

import (
	"bytes"
	"io"
	"math/big"
	"slices"

	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Agreement is one way of Chip Authentication that a chip offers, with the key
// that it proves (§6.2).
type Agreement struct {
	Protocol []byte // the identifier's content octets, as a command names it
	Suite    sm.Suite
	KeyID    int // the number of the key, -1 where the chip gives none
	Key      Key
}

// addKey takes a key over, if it is known.
func (i *Infos) addKey(e entry) {
	i.Proves = true
	key, err := ParseKey(e.first)
	if err != nil || key.modulus != nil {
		return
	}
	i.keys = append(i.keys, chipKey{e.id, key})
}

// Kinds of agreement by the number in identifiers.
const (
	overGroup = 1
	overCurve = 2
)

// addAgreement takes a way of Chip Authentication over, if its key is there.
func (i *Infos) addAgreement(e entry) {
	i.Proves, i.announced = true, true
	suite, ok := suiteOf(e.oid[len(oidCA)+1])
	if !ok || e.version() < 1 || e.version() > 2 {
		return
	}
	for _, k := range i.keys {
		onCurve := k.key.domain.Curve != nil
		if e.oid[len(oidCA)] == overCurve == onCurve && (k.id == e.id || e.id == noID) {
			i.Agreements = append(i.Agreements, Agreement{[]byte(e.oid), suite, k.id, k.key})
			return
		}
	}
}

// finish orders the ways of Chip Authentication. A key without one is agreed on
// with triple DES, as the first chips had it.
func (i *Infos) finish() {
	if !i.announced && len(i.keys) > 0 {
		k, kind := i.keys[0], byte(overGroup)
		if k.key.domain.Curve != nil {
			kind = overCurve
		}
		i.Agreements = []Agreement{{append([]byte(oidCA), kind, 1), sm.TripleDES, k.id, k.key}}
	}
	slices.SortStableFunc(i.Agreements, func(a, b Agreement) int { return int(b.Suite) - int(a.Suite) })
}

// Holds reports whether a key, as a SubjectPublicKeyInfo, is one of Chip
// Authentication's.
func (i Infos) Holds(spki []byte) bool {
	return slices.ContainsFunc(i.keys, func(k chipKey) bool { return bytes.Equal(k.key.SPKI, spki) })
}

// Begin draws a terminal's key of Chip Authentication and gives it, with the
// session that only a chip with the private key comes to as well.
func (a Agreement) Begin(random io.Reader) (public []byte, s *sm.Secure, err error) {
	d := a.Key.domain
	k, err := d.secret(random)
	if err != nil {
		return nil, nil, err
	}
	shared, err := d.agree(k, a.Key.public)
	if err != nil {
		return nil, nil, err
	}
	s, err = secured(a.Suite, shared, nil)
	return d.marshal(d.public(k)), s, err
}

// Join answers a terminal's key as a chip does, with its private key.
func (a Agreement) Join(private *big.Int, public []byte) (*sm.Secure, error) {
	d := a.Key.domain
	theirs, err := d.unmarshal(public)
	if err != nil {
		return nil, sm.ErrProtocol
	}
	shared, err := d.agree(private, theirs)
	if err != nil {
		return nil, err
	}
	return secured(a.Suite, shared, nil)
}
