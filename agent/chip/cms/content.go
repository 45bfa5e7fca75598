package cms

import (
	"crypto"
	"math/big"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// Digests are what a document security object says of a chip's files (9303-10
// §4.6.2.3).
type Digests struct {
	Version int // 0, or 1 with the version of the data structure
	// Hash is the digest; 0 for one that is not known.
	Hash    crypto.Hash
	Of      map[int][]byte // by the number of the data group
	LDS     string         // "0108"; empty in version 0
	Unicode string
}

// groups is how many data groups there are.
const groups = 16

// ParseDigests reads a document security object, in DER or in BER.
func ParseDigests(content []byte) (Digests, error) {
	d, err := parseDigests(content)
	if err == nil {
		return d, nil
	}
	if content, err = der.Definite(content); err != nil {
		return Digests{}, err
	}
	return parseDigests(content)
}

// parseDigests reads a document security object in DER.
func parseDigests(content []byte) (Digests, error) {
	d := Digests{Of: map[int][]byte{}}
	v, err := der.Whole(content, der.Sequence)
	if err != nil {
		return d, err
	}
	r := v.Inside()
	d.Version = r.Want(der.Integer).Small()
	a, err := cert.ParseAlgorithm(r.Want(der.Sequence))
	if err != nil || d.Version < 0 || d.Version > 1 {
		return d, der.ErrEncoding
	}
	d.Hash, _ = a.Digest()
	list := r.Into(der.Sequence)
	for list.More() {
		in := list.Into(der.Sequence)
		n, digest := in.Want(der.Integer).Small(), in.Want(der.OctetString).Content
		if _, twice := d.Of[n]; in.End() != nil || n < 1 || n > groups || twice {
			return d, der.ErrEncoding
		}
		d.Of[n] = digest
	}
	if list.Err() != nil || len(d.Of) == 0 {
		return d, der.ErrEncoding
	}
	if r.More() {
		version := r.Into(der.Sequence)
		d.LDS, _ = version.Want(der.PrintableString).Text()
		d.Unicode, _ = version.Want(der.PrintableString).Text()
		if version.End() != nil {
			return d, der.ErrEncoding
		}
	}
	return d, r.End()
}

// maxListed bounds a master list, in certificates.
const maxListed = 1 << 14

// ParseMasterList reads the certificates of a master list (9303-12 §9.2), as they
// are encoded.
func ParseMasterList(content []byte) ([][]byte, error) {
	v, err := der.Whole(content, der.Sequence)
	if err != nil {
		return nil, err
	}
	r := v.Inside()
	version := r.Want(der.Integer).Small()
	set := r.Into(der.Set)
	if r.End() != nil || version != 0 {
		return nil, der.ErrEncoding
	}
	var all [][]byte
	for set.More() && len(all) <= maxListed {
		all = append(all, set.Want(der.Sequence).Raw)
	}
	if set.Err() != nil || len(all) > maxListed {
		return nil, der.ErrEncoding
	}
	return all, nil
}

// The deviations that are acted on (9303-12 §10.2); the others are told, and change
// nothing.
const (
	SignerEncoding    der.OID = "2.23.136.1.1.7.1.2" // of the signer's certificate
	AuthorityEncoding der.OID = "2.23.136.1.1.7.1.3" // of the authority's
	KeyCompromised    der.OID = "2.23.136.1.1.7.1.4" // keys of active authentication
)

// Deviation is what a state says is wrong with documents that it issued. It names
// the certificate whose documents those are: by issuer and number, by the
// identifier of the key, or by a digest.
type Deviation struct {
	Issuer cert.Name
	Serial *big.Int
	KeyID  []byte
	Digest []byte

	DocumentType string    // "P<"; empty for every type
	First, Last  time.Time // when those documents were issued; zero for always
	Numbers      []string  // of those documents; empty for all
	Types        []der.OID // what is wrong with them
}

// Bounds of a deviation list.
const (
	maxDeviations = 1 << 12
	maxNumbers    = 1 << 16
)

// ParseDeviations reads a deviation list (9303-12 §10.2). One that names no
// certificate would excuse a whole state: it is left out.
func ParseDeviations(content []byte) ([]Deviation, error) {
	v, err := der.Whole(content, der.Sequence)
	if err != nil {
		return nil, err
	}
	r := v.Inside()
	version := r.Want(der.Integer).Small()
	r.Optional(der.Sequence) // the digest of certificate digests: their length tells it
	set := r.Into(der.Set)
	if r.End() != nil || version != 0 {
		return nil, der.ErrEncoding
	}
	var all []Deviation
	for n := 0; set.More(); n++ {
		d, err := deviation(set.Into(der.Sequence))
		if err != nil || n == maxDeviations {
			return nil, der.ErrEncoding
		}
		if d.Serial != nil || d.KeyID != nil || d.Digest != nil {
			all = append(all, d)
		}
	}
	return all, set.Err()
}

// deviation reads one deviation.
func deviation(r *der.Reader) (d Deviation, err error) {
	documents, descriptions := r.Into(der.Sequence), r.Into(der.Set)
	if err := r.End(); err != nil {
		return d, err
	}
	for descriptions.More() && len(d.Types) < maxAttributes {
		in := descriptions.Into(der.Sequence)
		in.Optional(der.PrintableString)
		id := in.Want(der.Object).OID()
		if in.Err() != nil || id == "" {
			return d, der.ErrEncoding
		}
		d.Types = append(d.Types, id)
	}
	if err := descriptions.End(); err != nil {
		return d, err
	}
	return d, d.documents(documents)
}

// documents reads which documents a deviation is of.
func (d *Deviation) documents(r *der.Reader) error {
	if kind, ok := r.Optional(der.Context(0, false)); ok {
		d.DocumentType, _ = kind.Text()
	}
	if err := d.certificate(r); err != nil {
		return err
	}
	if period, ok := r.Optional(der.Context(4, true)); ok {
		in := period.Inside()
		var first, last bool
		d.First, first = in.Any().Time()
		d.Last, last = in.Any().Time()
		if in.End() != nil || !first || !last {
			return der.ErrEncoding
		}
	}
	if numbers, ok := r.Optional(der.Context(5, true)); ok {
		in := numbers.Inside()
		for in.More() && len(d.Numbers) < maxNumbers {
			text, _ := in.Want(der.PrintableString).Text()
			d.Numbers = append(d.Numbers, text)
		}
		if in.End() != nil || len(d.Numbers) == 0 {
			return der.ErrEncoding
		}
	}
	return r.End()
}

// certificate reads which certificate a deviation names.
func (d *Deviation) certificate(r *der.Reader) (err error) {
	switch r.Peek() {
	case der.Context(1, true):
		d.Issuer, d.Serial, err = issuerAndSerial(r.Into(der.Context(1, true)))
	case der.Context(2, false):
		d.KeyID = r.Any().Content
	case der.Context(3, false):
		d.Digest = r.Any().Content
	}
	return err
}
