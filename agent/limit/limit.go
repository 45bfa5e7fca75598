// Package limit finds abuse across visits: one document for two people, somebody
// who was vouched for and vouches, a voucher too often, a vouch that lay too
// long; and what people of the centre's office should look at (Crowd): one NHS
// number for two people, a chip that was in two places, more people proved than
// can be. It works on tags, which are keyed hashes, so that the list of all visits
// names nobody and cannot be searched by whoever has it without the key.
//
// Claim tokens are named here too, by their digests.
//
// It asks nobody and keeps nothing on disk; the list comes in and goes out as
// values. What it finds is no verdict: people look at the case.
//
// # The laws
//
//   - The same person or document gives the same tag, however it was written:
//     case, spaces, further given names and a surname that was cut off do not
//     matter.
//   - A tag of one kind never equals one of another kind, nor one under another
//     key.
//   - A visit is judged against those that are on the list before it, and once.
//   - A new passport, a surname that changed, and two people who share name and
//     birth date are nothing to look at.
package limit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// Codes of what is found. A document that was shown for two people is
// proof.SameDocumentTwice.
const (
	VouchChain    proof.Code = "vouch_chain"     // the voucher was vouched for
	VouchTooOften proof.Code = "vouch_too_often" // by one voucher at one desk within a month
	VouchTooOld   proof.Code = "vouch_too_old"   // it lay longer than a vouch is good for
)

// KeySize is the length of a tag key, in bytes.
const KeySize = 32

// month is within which vouches of one voucher are counted.
const month = 30 * 24 * time.Hour

// Tag names a person or a document to those who have the key.
type Tag string

// tagSize is the length of a tag, in bytes: no two of 10^9 things share one but
// with a chance of 10^-21.
const tagSize = 16

// Tagger makes tags under one key.
type Tagger struct{ key []byte }

// NewTagger makes a tagger of a key of KeySize bytes.
func NewTagger(key []byte) (Tagger, error) {
	if len(key) != KeySize {
		return Tagger{}, errors.New("the tag key has another length than a tag key has")
	}
	return Tagger{slices.Clone(key)}, nil
}

// tag is the hash of fields under the key of a kind. Each kind has a key of its own,
// and quoting keeps fields apart whatever is in them.
func (t Tagger) tag(kind string, fields ...string) Tag {
	own := hmac.New(sha256.New, t.key)
	fmt.Fprintf(own, "counterproof tag key v2\n%s", kind)
	mac := hmac.New(sha256.New, own.Sum(nil))
	fmt.Fprintf(mac, "%q", fields)
	return Tag(hex.EncodeToString(mac.Sum(nil)[:tagSize]))
}

// document is the tag of a document by its family, issuer and number; "" without a
// number.
func (t Tagger) document(family, issuer, number string) Tag {
	if number = plain(number); number == "" {
		return ""
	}
	return t.tag("document", family, plain(issuer), number)
}

// leastCut is the length from which a surname counts as cut off in a
// machine-readable zone, so that nothing behind it is looked at.
const leastCut = 20

// Person is the tag of a person, by surname, first given name and birth date;
// "" where one of surname and birth date is not known.
func (t Tagger) Person(p proof.Person) Tag {
	if p.Surname.Key == "" || p.Birth.Year == 0 {
		return ""
	}
	surname := p.Surname.Key[:min(len(p.Surname.Key), leastCut)]
	given, _, _ := strings.Cut(strings.TrimSpace(p.Given.ICAO), " ")
	return t.tag("person", surname, proof.NewName(given).Key, p.Birth.String())
}

// Token is the digest and the last day of a claim token that a visit made, "" for
// none. A token is good for no longer than the rules of tokens say, whatever the
// record says.
func Token(s route.State) (digest string, until proof.Date) {
	if s.Token == nil {
		return "", proof.Date{}
	}
	until = claim.Until(s.Today())
	if told := s.Token.Until; told.Valid() && told.Before(until) {
		until = told
	}
	return Digest(s.Token.Token), until
}

// Digest names a claim token as somebody typed it, "" for what is none.
func Digest(typed string) string {
	token, err := claim.Parse(typed)
	if err != nil {
		return ""
	}
	return token.Digest()
}

// Shown is a document that was shown, and whose it is by its own word.
type Shown struct {
	Document Tag `json:"document"`
	Holder   Tag `json:"holder"`
}

// Visit is what the list holds of a visit.
type Visit struct {
	At        time.Time `json:"at"`   // when it began
	Desk      Tag       `json:"desk"` // where it was
	Person    Tag       `json:"person,omitempty"`
	Documents []Shown   `json:"documents,omitempty"`
	Vouchers  []Tag     `json:"vouchers,omitempty"` // who declared to know the person
}

// most bounds the documents of a visit, and the vouchers: what a record says is
// hostile.
const most = 3 * route.MaxPieces

// Visit makes the tags of a visit at a desk: of its patient, of every document
// with a photo that anybody showed, and of whoever vouched. Other documents may
// have two holders, such as a joint account or a marriage certificate.
func (t Tagger) Visit(s route.State, p *gpg45.Policy, desk string) Visit {
	v := Visit{At: s.Started.At.UTC(), Desk: t.tag("desk", desk), Person: t.Person(s.Claimed())}
	for _, who := range s.Parties() {
		for _, piece := range who.Pieces() {
			kind := p.Type(piece.Type())
			document, holder := t.document(kind.Family, piece.Issuer(), piece.Number()), t.Person(piece.Holder())
			if document == "" || holder == "" || !kind.Photo {
				continue
			}
			shown := Shown{document, holder}
			if !slices.Contains(v.Documents, shown) {
				v.Documents = append(v.Documents, shown)
			}
		}
	}
	for _, piece := range s.Pieces() {
		if piece.Vouch == nil {
			continue
		}
		for _, voucher := range []proof.Person{s.Voucher.Claimed(), piece.Vouch.Voucher} {
			if tag := t.Person(voucher); tag != "" && !slices.Contains(v.Vouchers, tag) {
				v.Vouchers = append(v.Vouchers, tag)
			}
		}
	}
	v.Documents, v.Vouchers = v.Documents[:min(len(v.Documents), most)], v.Vouchers[:min(len(v.Vouchers), most)]
	return v
}

// plain is a number or name as letters and digits alone, in upper case.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToUpper(text))
}

// List is the visits so far, ready to be searched. It is for one goroutine.
type List struct {
	holders map[Tag]Tag         // of documents; the first counts
	vouched map[Tag]bool        // people who were vouched for
	vouches map[Tag][]time.Time // of a voucher at a desk, see at
}

// NewList makes an empty list.
func NewList() *List {
	return &List{holders: map[Tag]Tag{}, vouched: map[Tag]bool{}, vouches: map[Tag][]time.Time{}}
}

// at names a voucher at a desk.
func at(voucher, desk Tag) Tag { return voucher + " " + desk }

// Add puts a visit on the list.
func (l *List) Add(v Visit) {
	for _, d := range v.Documents {
		if _, known := l.holders[d.Document]; !known {
			l.holders[d.Document] = d.Holder
		}
	}
	if len(v.Vouchers) > 0 && v.Person != "" {
		l.vouched[v.Person] = true
	}
	for _, voucher := range v.Vouchers {
		l.vouches[at(voucher, v.Desk)] = append(l.vouches[at(voucher, v.Desk)], v.At)
	}
}

// Against is what the list has against a visit that is not on it yet; none is a
// visit like any other.
func (l *List) Against(v Visit, u gpg45.Unconfirmed) []proof.Code {
	var out []proof.Code
	found := func(c proof.Code) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	for i, d := range v.Documents {
		holder, known := l.holders[d.Document]
		another := func(o Shown) bool { return o.Document == d.Document && o.Holder != d.Holder }
		if known && holder != d.Holder || slices.ContainsFunc(v.Documents[:i], another) {
			found(proof.SameDocumentTwice)
		}
	}
	for _, voucher := range v.Vouchers {
		// A circle is a chain, too: whoever closes it was vouched for.
		if l.vouched[voucher] || voucher == v.Person {
			found(VouchChain)
		}
		recent := 0
		for _, before := range l.vouches[at(voucher, v.Desk)] {
			if v.At.Sub(before).Abs() < month {
				recent++
			}
		}
		if !u.MayVouch(recent) {
			found(VouchTooOften)
		}
	}
	return out
}

// TooOld reports a vouch of the visit, or of one that it continues, that was
// given longer ago than a vouch is good for. What was given here was given on
// the visit's day.
func TooOld(visits []route.State, u gpg45.Unconfirmed, today proof.Date) bool {
	for _, s := range visits {
		for _, piece := range s.Pieces() {
			if piece.Vouch == nil {
				continue
			}
			given := piece.Vouch.Given
			if given == (proof.Date{}) {
				given = s.Today()
			}
			if given.Valid() && given.Precision() == "day" && given.AddDays(u.VouchDays).Before(today) {
				return true
			}
		}
	}
	return false
}
