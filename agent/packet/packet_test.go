package packet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// The invented holder of a passport of Utopia.
var lines = []string{
	"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<",
	"U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04",
}

// visit is a decided visit with the given result.
func visit(result proof.Result) (route.State, []proof.Event) {
	facts := []proof.Fact{
		proof.VisitStarted{Case: "case0001", Record: "00", Route: proof.PhotoDocument, Language: "cy", Training: true},
		proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true},
		proof.DocumentFailed{Kind: proof.KindBlurred},
		proof.DocumentRead{Source: proof.FromCamera, Lines: lines, Page: "page-4", Portrait: "portrait-4"},
		proof.DocumentExamined{Original: true, Details: proof.Agree, Features: []string{"watermark"}},
		proof.ConsentAnswered{Purpose: proof.ForFace, Given: true},
		proof.FaceTaken{Picture: "live-7"},
		proof.FacesCompared{Score: 3.2, Decision: proof.Match, Portrait: "portrait-4", Live: "live-7"},
		proof.PersonCompared{Answer: proof.Same},
		proof.VisitDecided{Outcome: proof.Outcome{Result: result, Level: proof.NoLevel, Reasons: []proof.Reason{}}},
	}
	if result == proof.Abandoned {
		facts = slices.Insert(facts, len(facts)-1, proof.Fact(proof.VisitAbandoned{Reason: proof.PatientLeft}))
	}
	var events []proof.Event
	for i, f := range facts {
		at := time.Date(2026, 11, 22, 10, i, 0, 0, time.UTC)
		events = append(events, proof.Event{Seq: i + 1, At: at, By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Fact: f})
	}
	return route.Fold(events), events
}

// picture fetches bytes that tell their own name.
func picture(id proof.PictureID) ([]byte, error) { return []byte("jpeg of " + id), nil }

func build(t *testing.T, result proof.Result) ([]packet.Part, []proof.Event) {
	t.Helper()
	s, events := visit(result)
	parts, err := packet.Build(s, events, picture)
	if err != nil {
		t.Fatalf("packing: %v", err)
	}
	return parts, events
}

// part is the content of one part, nil without it.
func part(parts []packet.Part, name packet.Name) []byte {
	for _, p := range parts {
		if p.Name == name {
			return p.Bytes
		}
	}
	return nil
}

func TestReadGivesBackTheVisit(t *testing.T) {
	t.Parallel()
	for _, result := range []proof.Result{proof.Proved, proof.Review, proof.NotProved, proof.Abandoned} {
		parts, events := build(t, result)
		v, err := packet.Read(parts)
		if err != nil {
			t.Fatalf("%s: reading: %v", result, err)
		}
		if got, want := route.Fold(v.Events), route.Fold(events); !reflect.DeepEqual(got.Outcome, want.Outcome) || got.Abandoned != want.Abandoned {
			t.Errorf("%s: the opener folds another outcome", result)
		} else if result != proof.Abandoned && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the opener folds another state", result)
		}
		if result == proof.Abandoned {
			continue // nobody's identity is packed
		}
		if !reflect.DeepEqual(v.Events, events) {
			t.Errorf("%s: events came back as\n%+v\nwant\n%+v", result, v.Events, events)
		}
		if v.Claims.Language != "cy" || v.Claims.Outcome.Result != result {
			t.Errorf("%s: claims %+v", result, v.Claims)
		}
	}
}

func TestAuditTellsNobody(t *testing.T) {
	t.Parallel()
	parts, _ := build(t, proof.Proved)
	for _, word := range []string{"SPECIMEN", "MORGAN", "U1234567", "8503"} {
		if bytes.Contains(part(parts, packet.Audit), []byte(word)) {
			t.Errorf("the audit part tells %s", word)
		}
		if !bytes.Contains(part(parts, packet.Claims), []byte(word)) {
			t.Errorf("the claims do not tell %s: the search is blind", word)
		}
	}
}

func TestWhichPicturesArePacked(t *testing.T) {
	t.Parallel()
	for result, want := range map[proof.Result][]proof.PictureID{
		proof.Proved:    {"page-4", "portrait-4"},
		proof.NotProved: {"page-4", "portrait-4"},
		proof.Review:    {"page-4", "portrait-4", "live-7"},
		proof.Abandoned: nil,
	} {
		parts, _ := build(t, result)
		v, err := packet.Read(parts)
		if err != nil {
			t.Fatal(err)
		}
		var got []proof.PictureID
		for _, p := range v.Pictures {
			got = append(got, p.ID)
			if string(p.JPEG) != "jpeg of "+string(p.ID) {
				t.Errorf("%s: picture %s came back as %q", result, p.ID, p.JPEG)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: pictures %v, want %v", result, got, want)
		}
	}
}

// TestChipFiles holds that the files of a chip travel in a part of their own, and
// that nothing of an abandoned visit's does.
func TestChipFiles(t *testing.T) {
	t.Parallel()
	for result, want := range map[proof.Result][]packet.Picture{
		proof.Proved:    {{ID: "chip-5", JPEG: []byte("jpeg of chip-5")}},
		proof.Abandoned: nil,
	} {
		s, events := visit(result)
		s.Chip = &route.Chip{Event: 5, ChipRead: proof.ChipRead{Verdict: proof.ChipGenuine, Lines: lines, Portrait: "portrait-5", Files: "chip-5"}}
		parts, err := packet.Build(s, events, picture)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(part(parts, packet.Evidence), []byte("chip-5")) {
			t.Errorf("%s: whoever may see pictures sees the chip's files", result)
		}
		v, err := packet.Read(parts)
		if err != nil || !reflect.DeepEqual(v.Chips, want) {
			t.Errorf("%s: chips %q, want %q: %v", result, v.Chips, want, err)
		}
		if s.Portrait() != "portrait-5" || len(v.Pictures) > 0 && v.Pictures[len(v.Pictures)-1].ID != "portrait-5" {
			t.Errorf("%s: the chip's portrait is not packed: %v", result, v.Pictures)
		}
	}
}

func TestAbandonedVisitClaimsNobody(t *testing.T) {
	t.Parallel()
	parts, _ := build(t, proof.Abandoned)
	v, err := packet.Read(parts)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Claims.Documents) > 0 || v.Claims.Person.Surname.ICAO != "" || len(v.Claims.Personal) > 0 {
		t.Errorf("an abandoned visit claims %+v", v.Claims)
	}
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	s, events := visit(proof.Proved)
	broken := func(proof.PictureID) ([]byte, error) { return nil, errors.New("the disk fails") }
	if _, err := packet.Build(s, events, broken); err == nil {
		t.Error("a record without its pictures was packed")
	}
	s.Outcome = nil
	if _, err := packet.Build(s, events, picture); err == nil {
		t.Error("an undecided visit was packed")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	good, _ := build(t, proof.Review)
	change := func(name packet.Name, to func([]byte) []byte) []packet.Part {
		var out []packet.Part
		for _, p := range good {
			if p.Name == name {
				p.Bytes = to(bytes.Clone(p.Bytes))
			}
			out = append(out, p)
		}
		return out
	}
	other := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(with), 1) }
	}
	for rule, parts := range map[string][]packet.Part{
		"no audit":                      good[:1],
		"another schema":                change(packet.Claims, other("visit/2", "visit/9")),
		"a fact of no event":            change(packet.Claims, other(`"event":4`, `"event":40`)),
		"a fact of another event":       change(packet.Claims, other(`"event":4`, `"event":5`)),
		"a fact that the audit denies":  change(packet.Claims, other(`"source":"camera"`, `"source":"keys"`)),
		"a fact left out":               change(packet.Claims, other(`"personal":[{`, `"impersonal":[{`)),
		"an event left out":             change(packet.Audit, other(`"seq":5`, `"seq":6`)),
		"an unknown event":              change(packet.Audit, other("face_taken", "face_taxed")),
		"two values":                    change(packet.Claims, func(b []byte) []byte { return append(b, "{}"...) }),
		"evidence cut short":            change(packet.Evidence, func(b []byte) []byte { return b[:len(b)-3] }),
		"evidence of something else":    change(packet.Evidence, func([]byte) []byte { return []byte("PK\x03\x04") }),
		"a picture longer than it says": change(packet.Evidence, func(b []byte) []byte { return append(b, 200) }),
	} {
		if _, err := packet.Read(parts); err == nil {
			t.Errorf("%s: it was read", rule)
		}
	}
	if _, err := packet.Read(good); err != nil {
		t.Errorf("the unchanged parts do not read: %v", err)
	}
}

// TestAnOlderCountersRecord reads what counters packed that knew photo documents
// alone: the files are their very bytes.
func TestAnOlderCountersRecord(t *testing.T) {
	t.Parallel()
	for _, result := range []proof.Result{proof.Proved, proof.Abandoned} {
		var parts []packet.Part
		for _, name := range []packet.Name{packet.Claims, packet.Audit} {
			b, err := os.ReadFile(filepath.Join("testdata", "visit-1", string(result)+"-"+string(name)+".json"))
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, packet.Part{Name: name, Bytes: b})
		}
		v, err := packet.Read(parts)
		if err != nil {
			t.Fatalf("%s: %v", result, err)
		}
		if result == proof.Abandoned {
			if len(v.Claims.Personal)+len(v.Claims.Documents) > 0 || v.Claims.Person.Surname.Key != "" || len(v.Events) != 10 {
				t.Errorf("an abandoned visit of %d events claims %+v", len(v.Events), v.Claims)
			}
			continue
		}
		want, events := visit(result)
		if !reflect.DeepEqual(v.Events, events) || !reflect.DeepEqual(route.Fold(v.Events), want) {
			t.Errorf("events came back as\n%+v\nwant\n%+v", v.Events, events)
		}
		today, err := packet.Build(want, events, picture)
		if err != nil {
			t.Fatal(err)
		}
		if now, err := packet.Read(today); err != nil || !reflect.DeepEqual(v.Claims, now.Claims) {
			t.Errorf("the claims are %+v, packed today %+v: %v", v.Claims, now.Claims, err)
		}
		for rule, change := range map[string][2]string{
			"a reading of no event":      {`"event":4`, `"event":40`},
			"a reading of another event": {`"event":4`, `"event":5`},
			"a reading left out":         {`"readings":[{`, `"impersonal":[{`},
			"parts of two schemas":       {"visit/1", "visit/2"},
		} {
			changed := slices.Clone(parts)
			changed[0].Bytes = bytes.Replace(bytes.Clone(parts[0].Bytes), []byte(change[0]), []byte(change[1]), 1)
			if _, err := packet.Read(changed); err == nil {
				t.Errorf("%s: %s was read", result, rule)
			}
		}
	}
}

// TestPicturesThatDoNotFit holds that nothing is packed that could not be sealed
// or read again, and that as many pictures as a visit may have are.
func TestPicturesThatDoNotFit(t *testing.T) {
	t.Parallel()
	s, events := visit(proof.Proved)
	for size, want := range map[int]error{packet.MaxEvidence / 2: nil, packet.MaxEvidence/2 + 1: packet.ErrTooLarge} {
		parts, err := packet.Build(s, events, func(proof.PictureID) ([]byte, error) { return make([]byte, size), nil })
		if !errors.Is(err, want) {
			t.Errorf("two pictures of %d bytes: %v", size, err)
		}
		if _, err := packet.Read(parts); want == nil && err != nil {
			t.Errorf("two pictures of %d bytes do not read: %v", size, err)
		}
	}
	for n := range route.MaxPieces - 1 {
		put := s.Piece
		doc := *put.Document
		doc.Page, doc.Portrait = proof.PictureID(fmt.Sprint("page-", n+20)), proof.PictureID(fmt.Sprint("portrait-", n+20))
		put.Document = &doc
		s.Done = append(s.Done, put)
	}
	s.Voucher, s.Proxy = s.Subject, s.Subject
	parts, err := packet.Build(s, events, picture)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := packet.Read(parts); err != nil || len(v.Pictures) != 6*route.MaxPieces {
		t.Errorf("%d pictures of three people came back, want %d: %v", len(v.Pictures), 6*route.MaxPieces, err)
	}
}

// FuzzRead reads hostile parts: whatever was opened with a valid key may still
// come from a hostile counter.
func FuzzRead(f *testing.F) {
	s, events := visit(proof.Review)
	parts, err := packet.Build(s, events, picture)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(part(parts, packet.Claims), part(parts, packet.Audit), part(parts, packet.Evidence))
	for _, result := range []string{"proved", "abandoned"} {
		claims, err := os.ReadFile(filepath.Join("testdata", "visit-1", result+"-claims.json"))
		if err != nil {
			f.Fatal(err)
		}
		audit, err := os.ReadFile(filepath.Join("testdata", "visit-1", result+"-audit.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(claims, audit, part(parts, packet.Evidence))
	}
	f.Fuzz(func(t *testing.T, claims, audit, evidence []byte) {
		v, err := packet.Read([]packet.Part{{Name: packet.Claims, Bytes: claims}, {Name: packet.Audit, Bytes: audit}, {Name: packet.Evidence, Bytes: evidence}})
		if err != nil {
			return
		}
		route.Fold(v.Events)
		if _, err := json.Marshal(v.Events); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}
