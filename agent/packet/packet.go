// Package packet turns a finished visit into the parts of a record, and back
// for the opener. Each part goes to a reader of its own, so each holds no more
// than that reader needs: the claims have the identity and the result, the
// evidence has the pictures, the audit has the events with the identity taken
// out of them.
//
// It seals nothing, sends nothing and decides nothing.
//
// # The laws
//
//   - Build and Read are each other's inverse: claims and audit together give
//     back the very events of the visit, so that the opener folds and scores
//     what the counter folded and scored.
//   - The audit part alone tells nobody's name, number or date of birth.
//   - A live face is packed only where the visit goes to review.
//   - A part that does not read whole is refused; nothing is guessed.
package packet

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// Schema names the form of the claims and audit parts; a reader refuses one
// that it does not know.
const Schema = "counterproof/visit/1"

// Name says which part of a record something is. The words are those of the
// wire.
type Name string

// The parts.
const (
	Claims   Name = "claims"
	Evidence Name = "evidence"
	Audit    Name = "audit"
)

// Part is one part in clear.
type Part struct {
	Name  Name
	Bytes []byte
}

// Picture is one picture of the evidence part.
type Picture struct {
	ID   proof.PictureID
	JPEG []byte
}

// ClaimsPart is the content of the claims part, as JSON.
type ClaimsPart struct {
	Schema   string         `json:"schema"`
	Person   proof.Person   `json:"person,omitzero"`
	Document *DocumentClaim `json:"document,omitempty"`
	Outcome  proof.Outcome  `json:"outcome"`
	Language string         `json:"language"`
	Readings []Reading      `json:"readings,omitempty"` // every one, by event
}

// DocumentClaim is the document that the result rests on.
type DocumentClaim struct {
	Type   proof.EvidenceType `json:"type"`
	Issuer string             `json:"issuer"`
	Number string             `json:"number"`
	Expiry proof.Date         `json:"expiry"`
}

// Reading is the lines of one document_read event, which the audit part lacks.
type Reading struct {
	Event int      `json:"event"`
	Lines []string `json:"lines"`
}

// auditPart is the content of the audit part, as JSON.
type auditPart struct {
	Schema string        `json:"schema"`
	Events []proof.Event `json:"events"`
}

// Visit is what the opener finds in a record.
type Visit struct {
	Claims   ClaimsPart
	Events   []proof.Event // whole again
	Pictures []Picture
}

// Build packs a decided visit. pictures fetches a picture of the visit; it is
// called once for each that is packed. An abandoned visit has no evidence part.
func Build(s route.State, events []proof.Event, pictures func(proof.PictureID) ([]byte, error)) ([]Part, error) {
	if s.Outcome == nil {
		return nil, errors.New("packing a visit: it is not decided")
	}
	claims := claimsOf(s, events)
	claimed, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("packing the claims: %w", err)
	}
	audited, err := json.Marshal(auditPart{Schema, withoutLines(events)})
	if err != nil {
		return nil, fmt.Errorf("packing the audit: %w", err)
	}
	parts := []Part{{Claims, claimed}, {Audit, audited}}
	ids := toPack(s)
	if len(ids) == 0 {
		return parts, nil
	}
	var packed []Picture
	for _, id := range ids {
		jpeg, err := pictures(id)
		if err != nil {
			return nil, fmt.Errorf("packing the evidence: %w", err)
		}
		packed = append(packed, Picture{id, jpeg})
	}
	return append(parts, Part{Evidence, writePictures(packed)}), nil
}

// toPack names the pictures that go into the evidence.
func toPack(s route.State) []proof.PictureID {
	if s.Outcome.Result == proof.Abandoned || s.Document == nil {
		return nil
	}
	ids := []proof.PictureID{s.Document.Page, s.Document.Portrait}
	if s.Outcome.Result == proof.Review {
		ids = append(ids, s.Live)
	}
	return slices.DeleteFunc(ids, func(id proof.PictureID) bool { return id == "" })
}

// claimsOf collects who was claimed and what it came to.
func claimsOf(s route.State, events []proof.Event) ClaimsPart {
	c := ClaimsPart{Schema: Schema, Outcome: *s.Outcome, Language: s.Visit.Language}
	if d := s.Document; d != nil && s.Outcome.Result != proof.Abandoned {
		c.Person = s.Claimed()
		c.Document = &DocumentClaim{s.EvidenceType(), d.MRZ.Fields.IssuingState, d.MRZ.Fields.DocumentNumber, d.MRZ.Fields.ExpiryDate}
	}
	for _, e := range events {
		if f, ok := e.Fact.(proof.DocumentRead); ok {
			c.Readings = append(c.Readings, Reading{e.Seq, f.Lines})
		}
	}
	return c
}

// withoutLines copies the events and takes the machine-readable lines out.
func withoutLines(events []proof.Event) []proof.Event {
	out := slices.Clone(events)
	for i, e := range out {
		if f, ok := e.Fact.(proof.DocumentRead); ok {
			f.Lines = nil
			out[i].Fact = f
		}
	}
	return out
}

// Read unpacks a record's parts, the evidence if it is among them.
func Read(parts []Part) (Visit, error) {
	var v Visit
	var audit auditPart
	for _, p := range parts {
		var err error
		switch p.Name {
		case Claims:
			err = readJSON(p.Bytes, &v.Claims)
		case Audit:
			err = readJSON(p.Bytes, &audit)
		case Evidence:
			v.Pictures, err = readPictures(p.Bytes)
		}
		if err != nil {
			return Visit{}, fmt.Errorf("reading part %s: %w", p.Name, err)
		}
	}
	if v.Claims.Schema != Schema || audit.Schema != Schema {
		return Visit{}, errors.New("reading a record: claims or audit are missing or of another schema")
	}
	v.Events = audit.Events
	if err := putLines(v.Events, v.Claims.Readings); err != nil {
		return Visit{}, err
	}
	return v, nil
}

// maxJSON bounds a part of JSON; a long visit has some hundred events.
const maxJSON = 8 << 20

// readJSON reads exactly one JSON value.
func readJSON(b []byte, into any) error {
	if len(b) > maxJSON {
		return fmt.Errorf("%d bytes", len(b))
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("no visit: %w", err)
	}
	if dec.More() {
		return errors.New("more than one visit")
	}
	return nil
}

// putLines puts every reading back into its event and checks the numbering.
func putLines(events []proof.Event, readings []Reading) error {
	for i, e := range events {
		if e.Seq != i+1 {
			return errors.New("reading a record: its events are not numbered through")
		}
	}
	for _, r := range readings {
		if r.Event < 1 || r.Event > len(events) {
			return errors.New("reading a record: a reading belongs to no event")
		}
		f, ok := events[r.Event-1].Fact.(proof.DocumentRead)
		if !ok || f.Lines != nil {
			return errors.New("reading a record: a reading belongs to another event")
		}
		f.Lines = r.Lines
		events[r.Event-1].Fact = f
	}
	return nil
}

// The evidence part is a magic and each picture after its name, both after
// their lengths.
const (
	evidenceMagic = "CPEVID1"
	maxPictures   = 64
	maxPicture    = 32 << 20
)

func writePictures(pictures []Picture) []byte {
	b := []byte(evidenceMagic)
	for _, p := range pictures {
		b = append(append(b, byte(len(p.ID))), p.ID...)
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p.JPEG))), p.JPEG...)
	}
	return b
}

// readPictures reads what writePictures wrote; every length is checked.
func readPictures(b []byte) ([]Picture, error) {
	rest, ok := bytes.CutPrefix(b, []byte(evidenceMagic))
	if !ok {
		return nil, errors.New("no evidence begins so")
	}
	var pictures []Picture
	for len(rest) > 0 {
		n := int(rest[0])
		if len(rest) < 1+n+4 || len(pictures) == maxPictures {
			return nil, errors.New("evidence cut short or too long")
		}
		id := proof.PictureID(rest[1 : 1+n])
		rest = rest[1+n:]
		size := binary.BigEndian.Uint32(rest)
		if size > maxPicture || uint64(size) > uint64(len(rest)-4) {
			return nil, errors.New("a picture runs over the end")
		}
		pictures = append(pictures, Picture{id, rest[4 : 4+size]})
		rest = rest[4+size:]
	}
	return pictures, nil
}
