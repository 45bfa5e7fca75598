package access

import (
	"bytes"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Identifiers of what a chip can do, as content octets; one or two more follow
// (§9.2).
const (
	oidPK       = "\x04\x00\x7f\x00\x07\x02\x02\x01"
	oidCA       = "\x04\x00\x7f\x00\x07\x02\x02\x03"
	oidPACE     = "\x04\x00\x7f\x00\x07\x02\x02\x04"
	oidAA       = "\x67\x81\x08\x01\x01\x05" // 2.23.136.1.1.5
	oidSigned   = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	oidSecurity = "\x04\x00\x7f\x00\x07\x03\x02\x01" // of EF.CardSecurity's content
)

// Bounds of what a chip says about itself.
const (
	maxInfos = 64
	maxKeys  = 8
)

// noID stands where an info has no identifier.
const noID = -1

// Infos is what a chip says that it can do: its SecurityInfos (§9.2).
type Infos struct {
	// PACE are the ways of Password Authenticated Connection Establishment that
	// are known here, as the chip lists them.
	PACE []PACE
	// Agreements are the ways of Chip Authentication that are known here, the
	// strongest first.
	Agreements []Agreement
	// Proves says that the chip announces a proof that it is no copy by Chip
	// Authentication, known here or not.
	Proves bool

	keys      []chipKey
	announced bool     // ways of Chip Authentication, known here or not
	digest    byte     // of Active Authentication's ECDSA; 0 where it is not told
	offers    [][]byte // what speaks of PACE, as it stands in the file
}

// chipKey is a key of Chip Authentication.
type chipKey struct {
	id  int
	key Key
}

// explicit are domain parameters that a chip spells out for PACE.
type explicit struct {
	id     int
	domain domain
}

// CardAccess reads EF.CardAccess.
func CardAccess(file []byte) (Infos, error) { return parse(file) }

// DG14 reads data group 14 (ICAO Doc 9303-10 §4.7.14).
func DG14(file []byte) (Infos, error) {
	const tag = 0x6e
	set, err := only(file, tag)
	if err != nil {
		return Infos{}, err
	}
	return parse(set)
}

// CardSecurity reads the content of EF.CardSecurity. Its signature is not looked
// at: whoever relies on a key of it has that done first.
func CardSecurity(file []byte) (Infos, error) {
	inner, err := signed(file)
	if err != nil {
		return Infos{}, err
	}
	return parse(inner)
}

// signed gives the content of a signed message (RFC 5652 §5.1).
func signed(file []byte) ([]byte, error) {
	outer, err := only(file, tagSequence)
	if err != nil {
		return nil, err
	}
	kind, rest, err := take(outer, tagOID)
	if err != nil || string(kind) != oidSigned {
		return nil, sm.ErrProtocol
	}
	for _, tag := range []sm.Tag{tagContextZero, tagSequence} {
		if rest, _, err = take(rest, tag); err != nil {
			return nil, err
		}
	}
	for _, tag := range []sm.Tag{tagInteger, tagSet} { // the version, the digests
		if _, rest, err = take(rest, tag); err != nil {
			return nil, err
		}
	}
	content, _, err := take(rest, tagSequence)
	if err != nil {
		return nil, err
	}
	kind, content, err = take(content, tagOID)
	if err != nil || string(kind) != oidSecurity {
		return nil, sm.ErrProtocol
	}
	if content, err = only(content, tagContextZero); err != nil {
		return nil, err
	}
	return only(content, tagOctets)
}

// parse reads a set of infos. What is not known is left out.
func parse(file []byte) (Infos, error) {
	set, err := only(file, tagSet)
	if err != nil {
		return Infos{}, err
	}
	var entries []entry
	for count := 0; len(set) > 0; count++ {
		info, rest, err := take(set, tagSequence)
		switch {
		case err != nil:
			return Infos{}, err
		case count == maxInfos:
			return Infos{}, sm.ErrBudget
		}
		if e, ok := entered(info); ok {
			entries = append(entries, e)
		}
		set = rest
	}
	return sorted(entries), nil
}

// sorted makes infos of entries: what is spelled out before what refers to it.
func sorted(entries []entry) Infos {
	var infos Infos
	var domains []explicit
	tried := 0 // keys: those that turn out to be none take as long
	for _, e := range entries {
		switch {
		case e.under(oidPACE, 1) && len(domains) < maxKeys:
			domains = append(domains, e.explicit())
		case e.under(oidPK, 1) && tried < maxKeys:
			tried++
			infos.addKey(e)
		case e.oid == oidAA:
			infos.digest = e.digest()
		}
	}
	for _, e := range entries {
		if strings.HasPrefix(e.oid, oidPACE) {
			infos.offers = append(infos.offers, e.info)
		}
		switch {
		case e.under(oidPACE, 2):
			infos.addPACE(e, domains)
		case e.under(oidCA, 2):
			infos.addAgreement(e)
		}
	}
	infos.finish()
	return infos
}

// entry is one info: an identifier and what belongs to it, whole and in parts.
type entry struct {
	info  []byte // as it stands in the file
	oid   string
	rest  []byte // all of it after the identifier
	first []byte // the required part
	id    int    // the number at its end, noID where there is none
}

// entered takes an info apart. The number that some end with is of one byte or
// two.
func entered(info []byte) (entry, bool) {
	oid, rest, err := take(info, tagOID)
	if err != nil {
		return entry{}, false
	}
	_, _, after, err := sm.Next(rest)
	if err != nil {
		return entry{}, false
	}
	e := entry{info, string(oid), rest, rest[:len(rest)-len(after)], noID}
	if n, err := integers(after, 1); err == nil && n[0].BitLen() <= 15 {
		e.id = int(n[0].Int64())
	}
	return e, true
}

// under reports an identifier below another one, by so many numbers.
func (e entry) under(oid string, n int) bool {
	return len(e.oid) == len(oid)+n && strings.HasPrefix(e.oid, oid)
}

// version is the number that the required part is.
func (e entry) version() int64 {
	n, err := integers(e.first, 1)
	if err != nil || !n[0].IsInt64() {
		return 0
	}
	return n[0].Int64()
}

// explicit reads domain parameters that are spelled out. Only known ones are
// used: the file is not signed (§9.2.2).
func (e entry) explicit() explicit {
	algorithm, err := only(e.first, tagSequence)
	if err != nil {
		return explicit{id: e.id}
	}
	d, err := parameters(algorithm)
	if err != nil || d.Curve != nil && d.Curve.Name == "" || d.Group != nil && !standard(d) {
		return explicit{id: e.id}
	}
	return explicit{e.id, d}
}

// standard reports a group that is standardised.
func standard(d domain) bool {
	for id := range 3 {
		if known, _ := named(id); known.same(d) {
			return true
		}
	}
	return false
}

// digest is the digest of Active Authentication's signatures, by the last number
// of the algorithm's identifier (BSI TR-03111 §5.2.1).
func (e entry) digest() byte {
	const plain = "\x04\x00\x7f\x00\x07\x01\x01\x04\x01"
	_, rest, err := take(e.rest, tagInteger)
	if err != nil {
		return 0
	}
	oid, _, err := take(rest, tagOID)
	if err != nil || len(oid) != len(plain)+1 || string(oid[:len(plain)]) != plain {
		return 0
	}
	return oid[len(plain)]
}

// SamePACE reports whether two sets of infos offer the same ways of PACE, byte for
// byte: then what the unsigned file offers is what its state signed (§9.2.11).
func (i Infos) SamePACE(o Infos) bool {
	within := func(these, those [][]byte) bool {
		for _, want := range these {
			if !slices.ContainsFunc(those, func(have []byte) bool { return bytes.Equal(have, want) }) {
				return false
			}
		}
		return true
	}
	return within(i.offers, o.offers) && within(o.offers, i.offers)
}

// Offers says that the chip offers PACE, in a way that is known here or not.
func (i Infos) Offers() bool { return len(i.offers) > 0 }
