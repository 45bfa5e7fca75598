package cert

import (
	"math/big"
	"time"

	"github.com/counterproof/counterproof/agent/chip/der"
)

// CRL is a list of revoked certificates (RFC 5280 §5). Nothing in it is proved.
type CRL struct {
	Issuer    Name
	AlsoFor   []Name // names that the issuer had before (9303-12 §7.1.4)
	IssuerKey []byte
	From      time.Time
	Until     time.Time // zero where it names no end
	Number    *big.Int  // nil where it has none
	// Delta says that it lists changes only; Partial that it is not for every
	// certificate, or says what nobody here understands.
	Delta, Partial bool

	entries   []byte // of revoked certificates, read when asked
	signed    []byte
	algorithm Algorithm
	signature []byte
}

// Bounds of a list.
const (
	maxCRL     = 16 << 20
	maxEntries = 1 << 20
)

// ParseCRL reads a list, and nothing after it.
func ParseCRL(raw []byte) (*CRL, error) {
	if len(raw) > maxCRL {
		return nil, der.ErrEncoding
	}
	v, err := der.Whole(raw, der.Sequence)
	if err != nil {
		return nil, err
	}
	r := v.Inside()
	body := r.Want(der.Sequence)
	algorithm, err := ParseAlgorithm(r.Want(der.Sequence))
	if err != nil {
		return nil, err
	}
	l := &CRL{signed: body.Raw, algorithm: algorithm, signature: r.Want(der.BitString).Bits()}
	if r.End() != nil || l.signature == nil {
		return nil, der.ErrEncoding
	}
	if err := l.body(body); err != nil {
		return nil, err
	}
	return l, nil
}

// body reads what is signed.
func (l *CRL) body(v der.Value) error {
	r := v.Inside()
	r.Optional(der.Integer)
	inner := r.Want(der.Sequence)
	var err error
	if l.Issuer, err = ParseName(r.Want(der.Sequence)); err != nil {
		return err
	}
	from, until := false, true
	l.From, from = r.Any().Time()
	if t := r.Peek(); t == der.UTCTime || t == der.GeneralizedTime {
		l.Until, until = r.Any().Time()
	}
	if entries, ok := r.Optional(der.Sequence); ok {
		l.entries = entries.Content
	}
	if r.Err() != nil || !from || !until || !sameAlgorithm(inner, l.algorithm) {
		return der.ErrEncoding
	}
	if extensions, ok := r.Optional(der.Context(0, true)); ok {
		if err := eachExtension(extensions.Content, l.extension); err != nil {
			return err
		}
	}
	if err := r.End(); err != nil {
		return err
	}
	return l.each(func(Entry) bool { return true })
}

// extension takes one extension of the list.
func (l *CRL) extension(id der.OID, critical bool, value []byte) error {
	switch id {
	case extIssuerKey:
		l.IssuerKey = issuerKey(value)
	case extIssuerAlt:
		l.AlsoFor, _ = directoryNames(value)
	case extCRLNumber:
		v, err := der.Whole(value, der.Integer)
		l.Number = v.Number()
		return err
	case extDelta:
		l.Delta = true
	case extDistributed:
		l.Partial = true
	default:
		l.Partial = l.Partial || critical
	}
	return nil
}

// Reason is why a certificate is on a list (RFC 5280 §5.3.1).
type Reason int

// The reasons that do not stay; every other one does.
const (
	Unspecified Reason = 0
	Hold        Reason = 6
	Removed     Reason = 8 // taken off again
)

// Entry is one certificate on a list.
type Entry struct {
	Serial *big.Int
	At     time.Time
	Reason Reason
	// Strange says that it has a critical extension that nobody here knows: it may
	// be for another issuer's certificate.
	Strange bool
}

// each reads the entries until take says no.
func (l *CRL) each(take func(Entry) bool) error {
	n := 0
	for r := der.In(l.entries); r.More(); n++ {
		e, err := entry(r.Want(der.Sequence))
		if err != nil || n > maxEntries {
			return der.ErrEncoding
		}
		if !take(e) {
			return nil
		}
	}
	return nil
}

// entry reads one entry.
func entry(v der.Value) (Entry, error) {
	r := v.Inside()
	e := Entry{Serial: r.Want(der.Integer).Number()}
	at, ok := r.Any().Time()
	if r.Err() != nil || e.Serial == nil || !ok {
		return e, der.ErrEncoding
	}
	e.At = at
	if !r.More() {
		return e, nil
	}
	err := eachExtension(r.Want(der.Sequence).Raw, func(id der.OID, critical bool, value []byte) error {
		if id == extReason {
			v, err := der.Whole(value, der.Enumerated)
			e.Reason = Reason(v.Small())
			return err
		}
		e.Strange = e.Strange || critical && id != extInvalidity
		return nil
	})
	if err != nil {
		return e, err
	}
	return e, r.End()
}

// Find gives the entry of a serial number. Of several the last counts. An entry
// that is strange makes the whole list so.
func (l *CRL) Find(serial *big.Int) (found Entry, ok, strange bool) {
	_ = l.each(func(e Entry) bool { // every entry was read once already
		strange = strange || e.Strange
		if e.Serial.Cmp(serial) == 0 {
			found, ok = e, true
		}
		return true
	})
	return found, ok, strange
}

// SignedBy checks the list's signature with a key.
func (l *CRL) SignedBy(k *Key) error { return k.Verify(l.algorithm, 0, l.signature, l.signed) }

// Ends is when the list is out of date: at its own word, or 90 days after it was
// made, the longest that 9303-12 §5.1.3 lets a state wait.
func (l *CRL) Ends() time.Time {
	if l.Until.IsZero() {
		return l.From.AddDate(0, 0, 90)
	}
	return l.Until
}
