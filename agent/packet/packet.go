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
	"reflect"
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// Schema names the form of the claims and audit parts; a reader refuses one
// that it does not know.
const Schema = "counterproof/visit/2"

// firstSchema is the form of counters that knew photo documents alone. Their
// records may still come: a counter is offline for weeks.
const firstSchema = "counterproof/visit/1"

// Name says which part of a record something is. The words are those of the
// wire.
type Name string

// The parts.
const (
	Claims   Name = "claims"
	Evidence Name = "evidence"
	Audit    Name = "audit"
	Chip     Name = "chip"
)

// Part is one part in clear.
type Part struct {
	Name  Name
	Bytes []byte
}

// MaxEvidence bounds all pictures of a visit together, in bytes, so that they
// fit into one sealed part (records, 32 MiB with padding).
const MaxEvidence = 28 << 20

// ErrTooLarge says that the pictures of a visit do not fit into a record; smaller
// ones may.
var ErrTooLarge = errors.New("the pictures are too large for a record")

// Picture is one picture of the evidence part.
type Picture struct {
	ID   proof.PictureID
	JPEG []byte
}

// ClaimsPart is the content of the claims part, as JSON.
type ClaimsPart struct {
	Schema    string          `json:"schema"`
	Person    proof.Person    `json:"person,omitzero"`
	Documents []DocumentClaim `json:"documents,omitempty"`
	Outcome   proof.Outcome   `json:"outcome"`
	Language  string          `json:"language"`
	Continues proof.Ref       `json:"continues,omitempty"` // an earlier visit of the patient
	Personal  []PersonalFact  `json:"personal,omitempty"`  // every one, by event
}

// DocumentClaim is one document that somebody showed.
type DocumentClaim struct {
	Party  proof.Party        `json:"party,omitempty"`
	Type   proof.EvidenceType `json:"type"`
	Issuer string             `json:"issuer"`
	Number string             `json:"number"`
	Expiry proof.Date         `json:"expiry"`
}

// PersonalFact is the fact of one event as it was; the audit part has it
// without what tells about a person.
type PersonalFact struct {
	Event int             `json:"event"`
	Fact  json.RawMessage `json:"fact"`
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
	Chips    []Picture // the files of chips, by the names that the events give them
}

// Build packs a decided visit. pictures fetches a picture of the visit; it is
// called once for each that is wanted, and one that it gives empty is left out.
// ErrTooLarge where they are more than a record holds. An abandoned visit has no
// evidence part.
func Build(s route.State, events []proof.Event, pictures func(proof.PictureID) ([]byte, error)) ([]Part, error) {
	if s.Outcome == nil {
		return nil, errors.New("packing a visit: it is not decided")
	}
	claims, err := claimsOf(s, events)
	if err != nil {
		return nil, fmt.Errorf("packing the claims: %w", err)
	}
	claimed, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("packing the claims: %w", err)
	}
	audited, err := json.Marshal(auditPart{Schema, emptied(events)})
	if err != nil {
		return nil, fmt.Errorf("packing the audit: %w", err)
	}
	parts := []Part{{Claims, claimed}, {Audit, audited}}
	for _, p := range []struct {
		name Name
		ids  []proof.PictureID
	}{{Evidence, toPack(s)}, {Chip, ChipFiles(s)}} {
		if len(p.ids) == 0 {
			continue
		}
		packed, err := fetch(p.ids, pictures)
		if err != nil {
			return nil, fmt.Errorf("packing part %s: %w", p.name, err)
		}
		parts = append(parts, Part{p.name, writePictures(packed)})
	}
	return parts, nil
}

// fetch collects pictures, as many and as large as Read takes.
func fetch(ids []proof.PictureID, pictures func(proof.PictureID) ([]byte, error)) ([]Picture, error) {
	var packed []Picture
	size := 0
	for _, id := range ids {
		jpeg, err := pictures(id)
		if err != nil {
			return nil, err
		}
		if len(jpeg) > 0 {
			packed = append(packed, Picture{id, jpeg})
			size += len(jpeg)
		}
	}
	if size > MaxEvidence || len(packed) > maxPictures {
		return nil, fmt.Errorf("%w: %d bytes in %d pictures", ErrTooLarge, size, len(packed))
	}
	return packed, nil
}

// toPack names the pictures that go into the evidence: those of all documents,
// and the live faces where people will look at the visit.
func toPack(s route.State) []proof.PictureID {
	if s.Outcome.Result == proof.Abandoned {
		return nil
	}
	var ids []proof.PictureID
	for _, who := range s.Parties() {
		for _, piece := range who.Pieces() {
			ids = append(ids, piece.Pictures()...)
		}
		if s.Outcome.Result == proof.Review && who.Live != "" {
			ids = append(ids, who.Live)
		}
	}
	return ids
}

// ChipFiles names the files of the chips that were read; none of an abandoned
// visit.
func ChipFiles(s route.State) []proof.PictureID {
	if s.Outcome.Result == proof.Abandoned {
		return nil
	}
	var ids []proof.PictureID
	for _, who := range s.Parties() {
		for _, piece := range who.Pieces() {
			if piece.Chip != nil && piece.Chip.Files != "" {
				ids = append(ids, piece.Chip.Files)
			}
		}
	}
	return ids
}

// claimsOf collects who was claimed and what it came to. Of an abandoned visit
// nobody's identity is packed: its auditors learn what was done, and no more.
func claimsOf(s route.State, events []proof.Event) (ClaimsPart, error) {
	c := ClaimsPart{Schema: Schema, Outcome: *s.Outcome, Language: s.Visit.Language, Continues: s.Visit.Continues}
	if s.Outcome.Result == proof.Abandoned {
		return c, nil
	}
	c.Person = s.Claimed()
	for _, who := range s.Parties() {
		for _, piece := range who.Pieces() {
			if piece.Number() != "" {
				c.Documents = append(c.Documents, DocumentClaim{who.Party, piece.Type(), piece.Issuer(), piece.Number(), piece.Expiry()})
			}
		}
	}
	for _, e := range events {
		if f, personal := e.Fact.(proof.Personal); personal {
			b, err := json.Marshal(f)
			if err != nil {
				return c, err
			}
			c.Personal = append(c.Personal, PersonalFact{e.Seq, b})
		}
	}
	return c, nil
}

// emptied copies the events without what tells about a person.
func emptied(events []proof.Event) []proof.Event {
	out := slices.Clone(events)
	for i, e := range out {
		if f, personal := e.Fact.(proof.Personal); personal {
			out[i].Fact = f.Emptied()
		}
	}
	return out
}

// Read unpacks a record's parts, the evidence if it is among them.
func Read(parts []Part) (Visit, error) {
	var v Visit
	var claims claimsPart
	var audit auditPart
	for _, p := range parts {
		var err error
		switch p.Name {
		case Claims:
			err = readJSON(p.Bytes, &claims)
		case Audit:
			err = readJSON(p.Bytes, &audit)
		case Chip:
			v.Chips, err = readPictures(p.Bytes)
		case Evidence:
			v.Pictures, err = readPictures(p.Bytes)
		}
		if err != nil {
			return Visit{}, fmt.Errorf("reading part %s: %w", p.Name, err)
		}
	}
	known := claims.Schema == Schema || claims.Schema == firstSchema
	if !known || audit.Schema != claims.Schema {
		return Visit{}, errors.New("reading a record: claims or audit are missing or of another schema")
	}
	v.Events = audit.Events
	var err error
	if v.Claims, err = claims.upgraded(v.Events); err != nil {
		return Visit{}, err
	}
	if err := putBack(v.Events, v.Claims); err != nil {
		return Visit{}, err
	}
	return v, nil
}

// claimsPart is the claims part of either schema.
type claimsPart struct {
	ClaimsPart
	Document *DocumentClaim `json:"document"` // of the first schema, as is Readings
	Readings []reading      `json:"readings"`
}

// reading is the lines of one document_read event in the first schema, which knew
// no other personal fact.
type reading struct {
	Event int      `json:"event"`
	Lines []string `json:"lines"`
}

// upgraded is the claims as the newest schema has them, which packs nobody's
// identity of an abandoned visit. Whether the readings are those of the events
// putBack checks.
func (c claimsPart) upgraded(events []proof.Event) (ClaimsPart, error) {
	if c.Schema != firstSchema {
		return c.ClaimsPart, nil
	}
	c.Schema, c.Documents, c.Personal = Schema, nil, nil
	if c.Outcome.Result == proof.Abandoned {
		c.Person = proof.Person{}
		return c.ClaimsPart, nil
	}
	if c.Document != nil {
		c.Documents = []DocumentClaim{*c.Document}
	}
	for _, r := range c.Readings {
		if r.Event < 1 || r.Event > len(events) {
			return ClaimsPart{}, errors.New("reading a record: a reading belongs to no event")
		}
		read, ok := events[r.Event-1].Fact.(proof.DocumentRead)
		if !ok {
			return ClaimsPart{}, errors.New("reading a record: a reading belongs to another event")
		}
		read.Lines = r.Lines
		b, err := json.Marshal(read)
		if err != nil {
			return ClaimsPart{}, fmt.Errorf("reading a record: a reading: %w", err)
		}
		c.Personal = append(c.Personal, PersonalFact{r.Event, b})
	}
	return c.ClaimsPart, nil
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

// putBack puts every personal fact back into its event and checks the
// numbering: each must be the fact that the audit has emptied, and none lacks,
// except in an abandoned visit, which has none.
func putBack(events []proof.Event, claims ClaimsPart) error {
	personal := claims.Personal
	for i, e := range events {
		if e.Seq != i+1 {
			return errors.New("reading a record: its events are not numbered through")
		}
	}
	if claims.Outcome.Result == proof.Abandoned && len(personal) == 0 {
		return nil
	}
	next := 0
	for i, e := range events {
		if _, ok := e.Fact.(proof.Personal); !ok {
			continue
		}
		if next == len(personal) || personal[next].Event != e.Seq {
			return errors.New("reading a record: a personal fact is missing or belongs to another event")
		}
		whole, err := proof.ReadFact(e.Fact.FactKind(), personal[next].Fact)
		if err != nil {
			return fmt.Errorf("reading a record: a personal fact: %w", err)
		}
		if !reflect.DeepEqual(whole.(proof.Personal).Emptied(), e.Fact) {
			return errors.New("reading a record: a personal fact is not the one that the audit speaks of")
		}
		events[i].Fact = whole
		next++
	}
	if next != len(personal) {
		return errors.New("reading a record: a personal fact belongs to no event")
	}
	return nil
}

// The evidence part is a magic and each picture after its name, both after
// their lengths.
const (
	evidenceMagic = "CPEVID1"
	maxPictures   = 3 * (3*route.MaxPieces + 1) // page, two portraits and live face of patient, voucher and proxy
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
