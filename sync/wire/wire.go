// Package wire holds the words between a counter and the centre: what a sealed
// record looks like, how it is named, what the centre may answer and what each
// answer obliges the counter to do. It knows no identity: a record is bytes
// with a name, a place in a chain and a signature.
//
// # The laws
//
//   - What is signed is bytes. A header is encoded once, on the counter, and
//     those very bytes are signed, sent, stored and hashed; nobody re-encodes.
//   - A record's name is its content: RecHash is the SHA-256 of the header's
//     bytes followed by the signature's bytes. The parts are bound to it by
//     the hashes in the header.
//   - A counter's records form one chain: Seq grows by one from 1 and Prev is
//     the RecHash before it. (Agent, Seq) is taken once; the same RecHash again
//     is a replay and gets the same answer, another RecHash is a fork.
//   - Success is a signed receipt that names the RecHash. No receipt, no
//     success; the absence of an error means nothing.
//   - A header field that a reader does not know is kept and stays covered by
//     the hash, so that a newer counter can talk to an older centre.
//   - News of a visit travels back as a notice: a word of a closed list under
//     the slip's reference, signed by the opener. The lists of notices have no
//     holes, and a word that is not known here hides none of the others.
//   - Nothing in a header, a receipt, an answer or a notice tells who was proved.
package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of what is accepted from the other side, in bytes unless said.
const (
	// MaxHeader bounds an encoded header; a real one is under 1 KiB.
	MaxHeader = 16 << 10
	// MaxParts bounds the parts of one record (a count).
	MaxParts = 16
	// MaxPart bounds one sealed part; a page picture is 0.2–2 MB.
	MaxPart = 32 << 20
	// MaxSignature bounds an ASN.1 ECDSA or Ed25519 signature.
	MaxSignature = 512
	// MaxInline is the largest part that travels with the record itself;
	// larger ones go ahead of it as blobs, so that a cut line resumes them.
	MaxInline = 64 << 10
	// MaxName bounds a part's name and a key's name.
	MaxName = 64
)

// AgentID names one enrolled counter, as the centre gave it: lower-case
// letters, digits and hyphens, at most MaxName of them.
type AgentID string

// SiteID names the place a counter stands in; usually its ODS code.
type SiteID string

// KeyID names a public key: the first 8 bytes of the SHA-256 of its encoding,
// in hexadecimal.
type KeyID string

// KeyIDOf names the key with the given encoding.
func KeyIDOf(encoded []byte) KeyID {
	sum := sha256.Sum256(encoded)
	return KeyID(hex.EncodeToString(sum[:8]))
}

// Seq is a record's place in its counter's chain; the first is 1.
type Seq uint64

// Hash is a SHA-256 digest.
type Hash [sha256.Size]byte

// HashOf digests b.
func HashOf(b []byte) Hash { return sha256.Sum256(b) }

// IsZero reports whether h is the all-zero hash, the Prev of a first record.
func (h Hash) IsZero() bool { return h == Hash{} }

// String writes h in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes h in hexadecimal, for JSON.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	got, err := ParseHash(string(text))
	if err != nil {
		return err
	}
	*h = got
	return nil
}

// ParseHash reads 64 hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return Hash{}, errors.New("a hash is 64 hexadecimal digits")
	}
	copy(h[:], b)
	return h, nil
}

// RecordID is a record's random name, drawn once per visit before anything is
// sealed: enqueuing the same visit twice, as after a crash, finds the first.
type RecordID [16]byte

// String writes the id in hexadecimal.
func (id RecordID) String() string { return hex.EncodeToString(id[:]) }

// Ref is the short code on the patient's slip, by which an outcome or a later
// visit finds the record. It is made of the record id alone and tells nothing.
type Ref string

// refLetters is Crockford's base 32: no I, L, O or U, which people misread or
// turn into words.
const refLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var refAlphabet = base32.NewEncoding(refLetters).WithPadding(base32.NoPadding)

// Ref derives the slip's code, eleven characters in three groups (the last one
// checks the others): 50 bits, enough that two slips of one site do not meet.
func (id RecordID) Ref() Ref {
	s := refAlphabet.EncodeToString(id[:])[:10]
	s += string(refCheck(s))
	return Ref(s[:4] + "-" + s[4:8] + "-" + s[8:])
}

// ParseRef reads a slip's code as a person types it: case, spaces and hyphens
// do not matter, I and L count as 1, O as 0. A wrong check character is an
// error, so a slip of the pen never finds somebody else's record.
func ParseRef(s string) (Ref, error) {
	var b []byte
	for _, c := range bytes.ToUpper([]byte(s)) {
		switch c {
		case ' ', '-':
		case 'I', 'L':
			b = append(b, '1')
		case 'O':
			b = append(b, '0')
		default:
			if strings.IndexByte(refLetters, c) < 0 {
				return "", errors.New("the reference has a sign that no slip uses")
			}
			b = append(b, c)
		}
	}
	if len(b) != 11 || refCheck(string(b[:10])) != b[10] {
		return "", errors.New("the reference is not complete or has a wrong letter")
	}
	return Ref(string(b[:4]) + "-" + string(b[4:8]) + "-" + string(b[8:])), nil
}

// refCheck sums the characters, weighted by place, modulo 31, a prime: a wrong
// character or a swap of neighbours shows, except 0 taken for Z.
func refCheck(s string) byte {
	sum := 0
	for i := range len(s) {
		sum += (i + 1) * strings.IndexByte(refLetters, s[i])
	}
	return refLetters[((sum%31)+31)%31]
}

// PartName says what a part of a record holds. Each part is sealed on its own,
// to its own reader.
type PartName string

// The parts of a record, by who may read them.
const (
	// PartClaims is the identity and the result, for account linking.
	PartClaims PartName = "claims"
	// PartEvidence is the pictures, for fraud investigators.
	PartEvidence PartName = "evidence"
	// PartChip is the chip's files, for a later re-check.
	PartChip PartName = "chip"
	// PartAudit is the visit's events, for the auditors.
	PartAudit PartName = "audit"
)

// Suite names how a part was sealed: KEM, KDF and AEAD ids of RFC 9180 §7 and
// its registry, written into the envelope because hybrid ids may still move.
type Suite struct {
	KEM, KDF, AEAD uint16
}

// PartInfo describes one sealed part inside the header.
type PartInfo struct {
	Name      PartName
	Recipient KeyID // the public key it is sealed to
	Suite     Suite
	Len       uint64 // bytes of Sealed
	SHA256    Hash   // of Sealed
}

// Header is the clear text of a record that the counter signs. It tells when,
// where and in which order, never who, and never which earlier visit this one
// continues: that stands in a sealed part, so that two visits of one person
// cannot be put together on the way.
type Header struct {
	Version  uint16 // 1
	Agent    AgentID
	Seq      Seq
	Record   RecordID
	Prev     Hash          // RecHash of Seq-1; zero for the first
	Wall     time.Time     // the counter's clock when sealing, whole milliseconds, UTC
	Offset   time.Duration // centre's clock minus the counter's at the last sync
	Boot     [16]byte      // random per start of the counter's machine
	Counter  uint64        // hardware counter anchoring the chain; 0 without one
	App      string        // version of the program
	Config   string        // version of the bundle it ran with
	Training bool          // made under a training enrolment: proves nobody
	Parts    []PartInfo
	Unknown  []Field // fields of a later version, kept
}

// Field is a header field that this version has no name for.
type Field struct {
	Tag   uint16
	Value []byte
}

// Part is one sealed part: what the recipient's key opens.
type Part struct {
	Name   PartName
	Sealed []byte
}

// Envelope is a sealed record as it is stored and sent.
type Envelope struct {
	Header    []byte // encoded Header, the bytes that were signed
	Signature []byte // ECDSA P-256 over SHA-256(Header), ASN.1 (SEC 1 §C.8)
	Parts     []Part
}

// RecHash names the record: SHA-256 of the header's and the signature's bytes.
func (e Envelope) RecHash() Hash {
	return HashOf(slices.Concat(e.Header, e.Signature))
}

// Check reports whether the parts are the ones that the header names, by
// length and hash. It does not check the signature, which needs the agent's key.
func (e Envelope) Check() (Header, error) {
	h, err := DecodeHeader(e.Header)
	if err != nil {
		return Header{}, err
	}
	if len(h.Parts) != len(e.Parts) {
		return Header{}, fmt.Errorf("the header names %d parts, the envelope holds %d", len(h.Parts), len(e.Parts))
	}
	for i, p := range h.Parts {
		if e.Parts[i].Name != p.Name || uint64(len(e.Parts[i].Sealed)) != p.Len || HashOf(e.Parts[i].Sealed) != p.SHA256 {
			return Header{}, fmt.Errorf("part %d is not the one that the header names", i)
		}
	}
	return h, nil
}

// Header tags. A tag is never used again for something else.
const (
	tagVersion = 1 + iota
	tagAgent
	tagSeq
	tagRecord
	tagPrev
	tagWall
	tagOffset
	tagBoot
	tagCounter
	tagApp
	tagConfig
	tagTraining
	tagPart
)

// Encode writes the header as tag, length, value triples in tag order, parts
// one field each: big-endian, tag 2 bytes, length 4 bytes. Equal headers give
// equal bytes.
func (h Header) Encode() []byte {
	var b []byte
	put := func(tag uint16, value []byte) {
		b = binary.BigEndian.AppendUint16(b, tag)
		b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
		b = append(b, value...)
	}
	u64 := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	put(tagVersion, binary.BigEndian.AppendUint16(nil, h.Version))
	put(tagAgent, []byte(h.Agent))
	put(tagSeq, u64(uint64(h.Seq)))
	put(tagRecord, h.Record[:])
	put(tagPrev, h.Prev[:])
	put(tagWall, u64(uint64(h.Wall.UnixMilli())))
	put(tagOffset, u64(uint64(h.Offset.Milliseconds())))
	put(tagBoot, h.Boot[:])
	put(tagCounter, u64(h.Counter))
	put(tagApp, []byte(h.App))
	put(tagConfig, []byte(h.Config))
	if h.Training {
		put(tagTraining, []byte{1})
	}
	for _, p := range h.Parts {
		put(tagPart, p.encode())
	}
	for _, f := range h.Unknown {
		put(f.Tag, f.Value)
	}
	return b
}

// encode writes one part's description: name and key length-prefixed by one
// byte, then suite, length and hash.
func (p PartInfo) encode() []byte {
	b := append([]byte{byte(len(p.Name))}, p.Name...)
	b = append(append(b, byte(len(p.Recipient))), p.Recipient...)
	for _, id := range []uint16{p.Suite.KEM, p.Suite.KDF, p.Suite.AEAD} {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	b = binary.BigEndian.AppendUint64(b, p.Len)
	return append(b, p.SHA256[:]...)
}

// ErrHeader is wrapped by every error of DecodeHeader and ParseEnvelope: the
// bytes are no record of any version.
var ErrHeader = errors.New("not a record")

// DecodeHeader reads an encoded header. It accepts only what Encode writes,
// plus unknown tags after the known ones, so that one header has one encoding.
func DecodeHeader(b []byte) (Header, error) {
	var h Header
	if len(b) > MaxHeader {
		return h, fmt.Errorf("%w: header of %d bytes", ErrHeader, len(b))
	}
	for rest := b; len(rest) > 0; {
		if len(rest) < 6 {
			return h, fmt.Errorf("%w: cut inside a field", ErrHeader)
		}
		tag, n := binary.BigEndian.Uint16(rest), binary.BigEndian.Uint32(rest[2:])
		rest = rest[6:]
		if uint64(n) > uint64(len(rest)) {
			return h, fmt.Errorf("%w: field %d runs over the end", ErrHeader, tag)
		}
		if err := h.set(tag, rest[:n]); err != nil {
			return h, fmt.Errorf("%w: field %d: %w", ErrHeader, tag, err)
		}
		rest = rest[n:]
	}
	if h.Version == 0 || h.Agent == "" || h.Seq == 0 {
		return h, fmt.Errorf("%w: version, agent or number missing", ErrHeader)
	}
	if !bytes.Equal(h.Encode(), b) {
		return h, fmt.Errorf("%w: fields repeated or out of order", ErrHeader)
	}
	return h, nil
}

// set stores one field's value.
func (h *Header) set(tag uint16, v []byte) error {
	switch tag {
	case tagAgent:
		h.Agent = AgentID(v)
		return checkName(string(v))
	case tagApp:
		h.App = string(v)
		return nil
	case tagConfig:
		h.Config = string(v)
		return nil
	case tagPart:
		p, err := decodePart(v)
		h.Parts = append(h.Parts, p)
		if len(h.Parts) > MaxParts {
			return errors.New("too many parts")
		}
		return err
	case tagVersion, tagSeq, tagWall, tagOffset, tagCounter, tagTraining:
		return h.setNumber(tag, v)
	case tagRecord:
		return fill(h.Record[:], v)
	case tagPrev:
		return fill(h.Prev[:], v)
	case tagBoot:
		return fill(h.Boot[:], v)
	}
	h.Unknown = append(h.Unknown, Field{tag, bytes.Clone(v)})
	return nil
}

// setNumber stores a field of fixed-width integers.
func (h *Header) setNumber(tag uint16, v []byte) error {
	switch {
	case tag == tagVersion && len(v) == 2:
		h.Version = binary.BigEndian.Uint16(v)
		return nil
	case tag == tagTraining && len(v) == 1 && v[0] == 1:
		h.Training = true
		return nil
	case tag == tagVersion || tag == tagTraining || len(v) != 8:
		return fmt.Errorf("has %d bytes", len(v))
	}
	n := binary.BigEndian.Uint64(v)
	switch tag {
	case tagSeq:
		h.Seq = Seq(n)
	case tagWall:
		h.Wall = time.UnixMilli(int64(n)).UTC()
	case tagOffset:
		h.Offset = time.Duration(int64(n)) * time.Millisecond
	case tagCounter:
		h.Counter = n
	}
	return nil
}

// fill copies a value of exactly the right width.
func fill(dst, v []byte) error {
	if len(v) != len(dst) {
		return fmt.Errorf("has %d bytes, wants %d", len(v), len(dst))
	}
	copy(dst, v)
	return nil
}

// checkName holds names to lower-case letters, digits and hyphens: a name may
// stand in a path, where dots would mean something else.
func checkName(s string) error {
	if s == "" || len(s) > MaxName {
		return fmt.Errorf("a name has 1 to %d characters", MaxName)
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return errors.New("a name is of lower-case letters, digits and hyphens")
		}
	}
	return nil
}

// decodePart reads what PartInfo.encode wrote.
func decodePart(v []byte) (PartInfo, error) {
	var p PartInfo
	name, v, ok := cutName(v)
	key, v, ok2 := cutName(v)
	if !ok || !ok2 || len(v) != 6+8+len(p.SHA256) {
		return p, errors.New("part cut or too long")
	}
	p.Name, p.Recipient = PartName(name), KeyID(key)
	p.Suite = Suite{binary.BigEndian.Uint16(v), binary.BigEndian.Uint16(v[2:]), binary.BigEndian.Uint16(v[4:])}
	p.Len = binary.BigEndian.Uint64(v[6:])
	copy(p.SHA256[:], v[14:])
	if p.Len > MaxPart {
		return p, fmt.Errorf("part of %d bytes", p.Len)
	}
	return p, errors.Join(checkName(name), checkName(key))
}

// cutName takes a one-byte length and that many bytes off the front.
func cutName(v []byte) (string, []byte, bool) {
	if len(v) == 0 || int(v[0]) > len(v)-1 {
		return "", nil, false
	}
	n := int(v[0])
	return string(v[1 : 1+n]), v[1+n:], true
}

// envelopeMagic opens a serialised envelope: Counterproof record, format 1.
const envelopeMagic = "CPR1"

// Marshal writes the envelope: magic, header, signature, count of parts and
// each part, every run of bytes after its 4-byte big-endian length. Names come
// from the header, so a part is only its sealed bytes here. A part that
// travelled ahead as a blob is written with nil bytes when keep says no.
func (e Envelope) Marshal(keep func(Part) bool) []byte {
	b := []byte(envelopeMagic)
	put := func(v []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
		b = append(b, v...)
	}
	put(e.Header)
	put(e.Signature)
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.Parts)))
	for _, p := range e.Parts {
		if keep != nil && !keep(p) {
			put(nil)
			continue
		}
		put(p.Sealed)
	}
	return b
}

// Inline reports whether a part travels with the record (see MaxInline).
func Inline(p Part) bool { return len(p.Sealed) <= MaxInline }

// ParseEnvelope reads what Marshal wrote. Parts left out have no Sealed; their
// names come from the header. The bytes are hostile: every length is checked.
// The envelope shares b's memory, so b must not be written to afterwards.
func ParseEnvelope(b []byte) (Envelope, Header, error) {
	var e Envelope
	rest, ok := bytes.CutPrefix(b, []byte(envelopeMagic))
	if !ok {
		return e, Header{}, fmt.Errorf("%w: no record begins so", ErrHeader)
	}
	var err error
	if e.Header, rest, err = cutBytes(rest, MaxHeader); err != nil {
		return e, Header{}, err
	}
	if e.Signature, rest, err = cutBytes(rest, MaxSignature); err != nil {
		return e, Header{}, err
	}
	h, err := DecodeHeader(e.Header)
	if err != nil {
		return e, Header{}, err
	}
	if len(rest) < 4 || int(binary.BigEndian.Uint32(rest)) != len(h.Parts) {
		return e, h, fmt.Errorf("%w: parts do not match the header", ErrHeader)
	}
	rest = rest[4:]
	for _, p := range h.Parts {
		var sealed []byte
		if sealed, rest, err = cutBytes(rest, MaxPart); err != nil {
			return e, h, err
		}
		e.Parts = append(e.Parts, Part{p.Name, sealed})
	}
	if len(rest) != 0 {
		return e, h, fmt.Errorf("%w: %d bytes too many", ErrHeader, len(rest))
	}
	return e, h, nil
}

// cutBytes takes a 4-byte length and that many bytes off the front; an empty
// run is nil.
func cutBytes(b []byte, limit int) (v, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, fmt.Errorf("%w: cut short", ErrHeader)
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(limit) || uint64(n) > uint64(len(b)-4) {
		return nil, nil, fmt.Errorf("%w: a length of %d bytes", ErrHeader, n)
	}
	if n == 0 {
		return nil, b[4:], nil
	}
	return b[4 : 4+n : 4+n], b[4+n:], nil
}

// Receipt is the centre's signed word that it holds a record for good.
type Receipt struct {
	Agent    AgentID   `json:"agent"`
	Seq      Seq       `json:"seq"`
	RecHash  Hash      `json:"rec_hash"`
	LogIndex uint64    `json:"log_index"` // place in the centre's log; the same for a replay
	At       time.Time `json:"at"`        // when it was first stored, whole milliseconds
	Key      KeyID     `json:"key"`       // the centre's receipt key
	Sig      []byte    `json:"sig"`       // Ed25519 over SignedBytes
}

// SignedBytes are the bytes under the receipt's signature: a fixed text with
// every field on its own line, so that no other signed thing can be mistaken
// for a receipt.
func (r Receipt) SignedBytes() []byte {
	return fmt.Appendf(nil, "counterproof receipt v1\n%s\n%d\n%s\n%d\n%d\n%s\n",
		r.Agent, r.Seq, r.RecHash, r.LogIndex, r.At.UnixMilli(), r.Key)
}

// Verdict is what the centre decided about a record that was sent to it.
type Verdict string

// The verdicts, and what each obliges the counter to do.
const (
	// Stored: the record is held; the receipt proves it.
	Stored Verdict = "stored"
	// Replayed: it was held already; the receipt is the first one again.
	Replayed Verdict = "replayed"
	// MissingBlobs: parts named in Missing must be sent first.
	MissingBlobs Verdict = "missing_blobs"
	// Gap: the centre expects Expect; send from there.
	Gap Verdict = "gap"
	// Fork: another record has this number; the agent is quarantined and
	// both versions are kept.
	Fork Verdict = "fork"
	// Altered: the bytes did not arrive as they were named; send again.
	Altered Verdict = "altered"
	// Refused: this record can never be accepted; a signed refusal says so.
	// The counter keeps it, skips it and raises an alarm; the chain goes on.
	Refused Verdict = "refused"
	// Unauthorised: the certificate is unknown, revoked or run out.
	Unauthorised Verdict = "unauthorised"
	// Shed: come back after RetryAfter; nothing was looked at.
	Shed Verdict = "shed"
	// Upgrade: the program is too old for this centre; keep the queue.
	Upgrade Verdict = "upgrade"
	// Pending: a second person must approve the enrolment; ask again.
	Pending Verdict = "pending"
)

// Answer is the centre's reply to one record, and the body of its JSON.
type Answer struct {
	Verdict    Verdict  `json:"verdict"`
	Receipt    *Receipt `json:"receipt,omitempty"`
	Expect     Seq      `json:"expect,omitempty"`
	Missing    []Hash   `json:"missing,omitempty"`
	RetryAfter int      `json:"retry_after,omitempty"` // seconds
	Refusal    *Refusal `json:"refusal,omitempty"`
}

// Refusal is the centre's signed word that it will never take a record; it
// takes the record's place in the chain.
type Refusal struct {
	Agent   AgentID   `json:"agent"`
	Seq     Seq       `json:"seq"`
	RecHash Hash      `json:"rec_hash"`
	Reason  string    `json:"reason"` // a closed word: training, version, malformed
	At      time.Time `json:"at"`
	Key     KeyID     `json:"key"`
	Sig     []byte    `json:"sig"`
}

// SignedBytes are the bytes under the refusal's signature.
func (r Refusal) SignedBytes() []byte {
	return fmt.Appendf(nil, "counterproof refusal v1\n%s\n%d\n%s\n%s\n%d\n%s\n",
		r.Agent, r.Seq, r.RecHash, r.Reason, r.At.UnixMilli(), r.Key)
}

// State is where the centre stands with one agent.
type State struct {
	Agent       AgentID   `json:"agent"`
	Expect      Seq       `json:"expect"` // next number it will take
	Head        Hash      `json:"head"`   // RecHash of Expect-1
	Quarantined bool      `json:"quarantined"`
	Training    bool      `json:"training"` // whether the centre is in training
	Now         time.Time `json:"now"`      // the centre's clock
	NextSync    int       `json:"next_sync"`
	// Notices is the place of the newest notice for the agent, 0 for none, and
	// NoticesAcked the one up to which the agent has them.
	Notices      uint64 `json:"notices"`
	NoticesAcked uint64 `json:"notices_acked"`
}

// EnrolRequest asks for an identity with a one-time code of the supervisor.
type EnrolRequest struct {
	Code string `json:"code"`
	CSR  []byte `json:"csr"`   // PKCS #10, DER (RFC 2986)
	Keep string `json:"grade"` // how the key is kept: tpm, dpapi or file
}

// EnrolAnswer is an agent's new identity. Until a second person has approved,
// where one is needed, it comes with status 202 and has neither certificates nor
// a bundle: the same request is made again after Retry-After.
type EnrolAnswer struct {
	Agent    AgentID  `json:"agent"`
	Site     SiteID   `json:"site"`
	Training bool     `json:"training"`
	Chain    [][]byte `json:"chain"` // certificates, DER, the agent's first
	Bundle   Signed   `json:"bundle"`
}

// Recipient is one public key that parts are sealed to.
type Recipient struct {
	Part   PartName `json:"part"`
	Key    KeyID    `json:"key"`
	Suite  Suite    `json:"suite"`
	Public []byte   `json:"public"` // encapsulation key, as crypto/hpke writes it
}

// Bundle is what the centre tells its counters: keys, settings, its age. It is
// always carried inside Signed.
type Bundle struct {
	Version    uint64      `json:"version"` // grows; an older one is refused
	Issued     time.Time   `json:"issued"`
	Training   bool        `json:"training"` // keys and centre are for training only
	Recipients []Recipient `json:"recipients"`
	ReceiptKey []byte      `json:"receipt_key"` // Ed25519 public key of the receipts
	// Openers are the keys whose notices a counter believes, PKIX DER, the
	// newest last.
	Openers [][]byte `json:"openers,omitempty"`
	// Settings are what the centre asks of all its counters.
	Settings Settings `json:"settings,omitzero"`
	// Files belong to the bundle by their hashes and are fetched apart.
	Files []File `json:"files,omitempty"`
}

// Signed carries bytes with an Ed25519 signature over them.
type Signed struct {
	Body []byte `json:"body"`
	Key  KeyID  `json:"key"`
	Sig  []byte `json:"sig"`
}

// Bundle decodes the body; the caller has verified the signature.
func (s Signed) Bundle() (Bundle, error) {
	var b Bundle
	if err := json.Unmarshal(s.Body, &b); err != nil {
		return b, fmt.Errorf("reading the centre's bundle: %w", err)
	}
	return b, nil
}

// Stored record states on the counter. A record moves down this list and never
// back; the side states are ends of their own.
const (
	// Sealed: on the counter's disk, nothing sent.
	Sealed RecordState = "sealed"
	// BlobsSent: its large parts are at the centre.
	BlobsSent RecordState = "blobs_sent"
	// Acked: a verified receipt names its hash.
	Acked RecordState = "acked"
	// Proven: the centre proved that the record is in its log.
	Proven RecordState = "proven"
	// Purged: the local copy's parts are gone.
	Purged RecordState = "purged"
	// RefusedState: the centre will never take it; kept, with an alarm.
	RefusedState RecordState = "refused"
	// QuarantinedState: the agent's chain is in doubt; kept, with an alarm.
	QuarantinedState RecordState = "quarantined"
)

// RecordState says how far a record has come on its way to the centre.
type RecordState string

// Kind says in one word why something between counter and centre failed; the
// desk maps it to the words that a person is shown. Add only at the end.
type Kind string

// The kinds.
const (
	KindNone         Kind = ""
	KindUnreachable  Kind = "unreachable"  // no connection, or it broke
	KindCertificate  Kind = "certificate"  // the centre's certificate is not the enrolled one
	KindClock        Kind = "clock"        // a certificate's dates and our clock disagree
	KindUnauthorised Kind = "unauthorised" // the centre does not know us any more
	KindQuarantined  Kind = "quarantined"  // the chain forked
	KindRefused      Kind = "refused"      // the centre refused a record for ever
	KindShed         Kind = "shed"         // the centre is busy
	KindUpgrade      Kind = "upgrade"      // this program is too old
	KindProtocol     Kind = "protocol"     // an answer that makes no sense or is not signed
	KindDisk         Kind = "disk"         // the local disk is full or fails
	KindDamaged      Kind = "damaged"      // the local queue does not verify
	KindNotEnrolled  Kind = "not_enrolled" // there is no identity yet
	KindCode         Kind = "code"         // the enrolment code is wrong, used or too old
	KindPending      Kind = "pending"      // enrolled, but a second person has not approved it yet
	KindLog          Kind = "log"          // the centre's log is not what it promised
)

// Error is a failure between counter and centre: what was done, which kind,
// and the cause. It never holds a name, a number or a picture.
type Error struct {
	Op   string
	Kind Kind
	Err  error
}

// Error writes the failure for a log.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Op + ": " + string(e.Kind)
	}
	return e.Op + ": " + string(e.Kind) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf finds the kind of an error, KindNone where there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindNone
}
