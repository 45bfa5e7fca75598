package limit

import (
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/sync/wire"
)

// Alias is a person under one name. Given leaves the surname out, so that it stays
// the same when somebody marries.
type Alias struct {
	Person Tag `json:"person"`
	Given  Tag `json:"given,omitempty"` // by first given name and birth date
}

// Alias makes the tags of a person; the zero Alias where surname or birth date is
// not known.
func (t Tagger) Alias(p proof.Person) Alias {
	a := Alias{Person: t.Person(p)}
	given, _, _ := strings.Cut(strings.TrimSpace(p.Given.ICAO), " ")
	if key := proof.NewName(given).Key; a.Person != "" && key != "" {
		a.Given = t.tag("given", key, p.Birth.String())
	}
	return a
}

// maybe reports whether two aliases may be of one person: the same names, or, where
// that may be, another surname alone.
func (a Alias) maybe(b Alias, married bool) bool {
	return a.Person == b.Person || married && a.Given != "" && a.Given == b.Given
}

// Paper is a document with a photo that somebody showed, and whose it is by its own
// word.
type Paper struct {
	Document Tag   `json:"document"`
	Holder   Alias `json:"holder"`
	Lasting  bool  `json:"lasting,omitempty"` // its number stays when a surname changes
}

// Chip is the files of a chip that was read.
type Chip struct {
	Files    Tag       `json:"files"`
	Document Tag       `json:"document"` // whatever its kind
	At       time.Time `json:"at"`       // by the centre's clock
}

// Trace is what a visit leaves for others to be held against. It names nobody to
// those without the key.
type Trace struct {
	Rec     wire.Hash `json:"rec"`
	Index   uint64    `json:"index"` // place in the centre's log
	At      time.Time `json:"at"`    // when it began, by the centre's clock
	Site    Tag       `json:"site"`
	Counter Tag       `json:"counter"`
	Clerk   Tag       `json:"clerk,omitempty"`
	Proved  bool      `json:"proved,omitempty"` // the counter proved somebody
	People  []Alias   `json:"people,omitempty"` // the patient, as claimed and by each document
	Papers  []Paper   `json:"papers,omitempty"`
	Number  Tag       `json:"number,omitempty"` // the NHS number that was given
	Phone   Tag       `json:"phone,omitempty"`  // nothing is found by it: families share one
	Chips   []Chip    `json:"chips,omitempty"`
}

// Outside is what is known of a visit's record beside the visit.
type Outside struct {
	Rec     wire.Hash
	Index   uint64
	Counter wire.AgentID
	Offset  time.Duration                   // centre's clock minus the counter's
	Events  []proof.Event                   // those that the state was folded from
	Files   func(id proof.PictureID) []byte // digest of what identifies a chip; nil where there is none
}

// Trace makes the trace of a visit.
func (t Tagger) Trace(s route.State, p *gpg45.Policy, o Outside) Trace {
	site := s.Visit.Site
	if site == "" {
		site = string(o.Counter)
	}
	out := Trace{
		Rec: o.Rec, Index: o.Index, At: s.Started.At.Add(o.Offset).UTC(),
		Site: t.tag("desk", site), Counter: t.tag("counter", string(o.Counter)),
		Proved: s.Outcome != nil && s.Outcome.Result == proof.Proved,
	}
	if clerk := s.Operator; clerk != "" {
		out.Clerk = t.tag("clerk", site, string(clerk))
	}
	if s.Claim != nil {
		if n, err := nhs.NormaliseNumber(s.Claim.NHSNumber); err == nil && !n.Repeated() {
			out.Number = t.tag("nhs_number", string(n))
		}
	}
	if s.Preferences != nil && plain(s.Preferences.Mobile) != "" {
		out.Phone = t.tag("phone", plain(s.Preferences.Mobile))
	}
	out.know(t.Alias(s.Claimed()))
	for i, who := range s.Parties() {
		for _, piece := range who.Pieces() {
			t.piece(&out, p, piece, o)
			if holder := t.Alias(piece.Holder()); i == 0 && piece.Vouch == nil {
				out.know(holder)
			}
		}
	}
	return out
}

// know adds an alias of the patient.
func (out *Trace) know(a Alias) {
	if a.Person != "" && !slices.Contains(out.People, a) && len(out.People) < most {
		out.People = append(out.People, a)
	}
}

// drivers is the policy's family of driving licences.
const drivers = "driving_licence"

// piece adds what a document and its chip leave.
func (t Tagger) piece(out *Trace, p *gpg45.Policy, piece route.Piece, o Outside) {
	kind := p.Type(piece.Type())
	paper := Paper{
		Document: t.document(kind.Family, piece.Issuer(), piece.Number()), Holder: t.Alias(piece.Holder()),
		// Some states give a driver one number for life. The British one is made of
		// the surname, and every other document has a number of its own.
		Lasting: kind.Family == drivers && piece.Type() != proof.UKLicence,
	}
	if kind.Photo && paper.Document != "" && paper.Holder.Person != "" && !slices.Contains(out.Papers, paper) && len(out.Papers) < most {
		out.Papers = append(out.Papers, paper)
	}
	c := piece.Chip
	if c == nil || c.Files == "" || o.Files == nil || len(out.Chips) >= most {
		return
	}
	digest := o.Files(c.Files)
	if digest == nil {
		return
	}
	chip := Chip{Files: t.tag("chip", string(digest)), Document: t.document("", piece.Issuer(), piece.Number()), At: out.At}
	if i := c.Event - 1; i >= 0 && i < len(o.Events) {
		chip.At = o.Events[i].At.Add(o.Offset).UTC()
	}
	out.Chips = append(out.Chips, chip)
}
