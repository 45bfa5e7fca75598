package route_test

import (
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
)

// The facts of a chip that is genuine.
var (
	chipRead = proof.ChipRead{
		Verdict: proof.ChipGenuine, Revocation: proof.RevocationGood, Clone: proof.CloneExcluded, Access: "PACE",
		Lines: specimen, Portrait: "portrait-4", Files: "chip-4", Trust: day(2026, 11, 1),
	}
	withReader = func() proof.VisitStarted {
		v := begin
		v.Chips = true
		return v
	}()
)

// TestWhenAChipIsAskedFor holds that a chip comes first where there is a reader,
// and never stands in the way.
func TestWhenAChipIsAskedFor(t *testing.T) {
	t.Parallel()
	moved, missing := proof.ChipFailed{Kind: proof.KindChipMoved}, proof.ChipFailed{Kind: proof.KindDeviceMissing}
	denied := proof.ChipFailed{Kind: proof.KindChipKey}
	for rule, c := range map[string]struct {
		facts []proof.Fact
		want  []proof.AskKind
	}{
		"with a reader":          {[]proof.Fact{withReader, agree, document}, []proof.AskKind{proof.ReadChip, proof.ExamineDocument}},
		"without one":            {[]proof.Fact{begin, agree, document}, []proof.AskKind{proof.ExamineDocument, proof.ReadChip}},
		"moved once":             {[]proof.Fact{withReader, agree, document, moved}, []proof.AskKind{proof.ReadChip, proof.ExamineDocument}},
		"moved three times":      {[]proof.Fact{withReader, agree, document, moved, moved, moved}, []proof.AskKind{proof.ExamineDocument, proof.ReadChip}},
		"key refused twice":      {[]proof.Fact{withReader, agree, document, denied, denied}, []proof.AskKind{proof.ExamineDocument, proof.ReadChip}},
		"the reader is gone":     {[]proof.Fact{withReader, agree, document, missing}, []proof.AskKind{proof.ExamineDocument, proof.ReadChip}},
		"the clerk went on":      {[]proof.Fact{withReader, agree, document, way(proof.ExamineDocument)}, []proof.AskKind{proof.ExamineDocument, proof.ReadChip}},
		"and came back to it":    {[]proof.Fact{withReader, agree, document, way(proof.ExamineDocument), way(proof.ReadChip)}, []proof.AskKind{proof.ReadChip, proof.ExamineDocument}},
		"the reader is back":     {[]proof.Fact{withReader, agree, document, missing, way(proof.ReadChip)}, []proof.AskKind{proof.ReadChip, proof.ExamineDocument}},
		"and gone again":         {[]proof.Fact{withReader, agree, document, missing, way(proof.ReadChip), missing}, []proof.AskKind{proof.ExamineDocument, proof.ReadChip}},
		"a reader came later":    {[]proof.Fact{begin, agree, document, way(proof.ReadChip)}, []proof.AskKind{proof.ReadChip, proof.ExamineDocument}},
		"read":                   {[]proof.Fact{withReader, agree, document, chipRead}, []proof.AskKind{proof.ExamineDocument}},
		"read, and taken back":   {[]proof.Fact{withReader, agree, document, chipRead, proof.StepReopened{Step: proof.ReadChip}}, []proof.AskKind{proof.ReadChip, proof.ExamineDocument}},
		"another document began": {[]proof.Fact{withReader, agree, document, moved, moved, moved, examined(t), faceNo, same, decided(t), chosen(proof.Passport, proof.ByZone, true), other}, []proof.AskKind{proof.ReadChip, proof.ExamineDocument}},
	} {
		t.Run(rule, func(t *testing.T) {
			var got []proof.AskKind
			for _, a := range route.Asks(visit(c.facts...)) {
				got = append(got, a.Kind)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("asks %v, want %v", got, c.want)
			}
		})
	}
}

// TestWhatAChipTells holds that a genuine chip puts a misread name right, that one
// of another document is no chip of this one, and that its portrait is the one
// that is compared.
func TestWhatAChipTells(t *testing.T) {
	t.Parallel()
	misread := document
	misread.Lines = []string{"P<UTOSPECLMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", specimen[1]}
	unknown, foreign, silent, copied := chipRead, chipRead, chipRead, chipRead
	unknown.Verdict, foreign.Lines, silent.Lines, copied.Clone = proof.ChipIssuerUnknown, secondPassport, nil, proof.CloneFailed
	strange, blind := unknown, copied
	blind.Lines = nil
	strange.Lines = secondPassport
	for rule, c := range map[string]struct {
		read     proof.DocumentRead
		chip     proof.ChipRead
		surname  string
		portrait proof.PictureID
		verdict  proof.ChipVerdict
		ask      proof.Ask
	}{
		"the same":                 {document, chipRead, "SPECIMEN", "portrait-4", proof.ChipGenuine, proof.Ask{Kind: proof.ExamineDocument}},
		"a misread name":           {misread, chipRead, "SPECIMEN", "portrait-4", proof.ChipGenuine, proof.Ask{Kind: proof.ExamineDocument, Why: proof.ChipDiffers}},
		"of an unknown issuer":     {misread, unknown, "SPECLMEN", "portrait-3", proof.ChipIssuerUnknown, proof.Ask{Kind: proof.ExamineDocument}},
		"of another document":      {document, foreign, "SPECIMEN", "portrait-3", proof.ChipOtherDocument, proof.Ask{Kind: proof.Decide}},
		"and of an unknown issuer": {document, strange, "SPECIMEN", "portrait-3", proof.ChipOtherDocument, proof.Ask{Kind: proof.Decide}},
		"a copy that told nobody":  {document, blind, "SPECIMEN", "portrait-4", proof.ChipGenuine, proof.Ask{Kind: proof.Decide}},
		"a copy":                   {document, copied, "SPECIMEN", "portrait-4", proof.ChipGenuine, proof.Ask{Kind: proof.Decide}},
	} {
		t.Run(rule, func(t *testing.T) {
			s := visit(begin, agree, c.read, c.chip)
			if s.Chip == nil || s.Chip.Verdict != c.verdict {
				t.Fatalf("the chip came to %+v, want %s", s.Chip, c.verdict)
			}
			if got := s.Holder().Surname.ICAO; got != c.surname {
				t.Errorf("the holder is %s, want %s", got, c.surname)
			}
			if s.Portrait() != c.portrait {
				t.Errorf("%s is compared, want %s", s.Portrait(), c.portrait)
			}
			if got := route.Asks(s)[0]; got != c.ask {
				t.Errorf("asks %+v, want %+v", got, c.ask)
			}
		})
	}
	if s := visit(begin, agree, document, silent); s.Chip != nil || s.ChipFails != 1 {
		t.Errorf("a chip that names nobody counts: %+v", s.Chip)
	}
}

// TestAFailedChipStays holds that what a chip says against its document is not
// taken back, nor washed off by another document.
func TestAFailedChipStays(t *testing.T) {
	t.Parallel()
	forged := chipRead
	forged.Verdict = proof.ChipIntegrityFailed
	s := visit(begin, agree, document, forged)
	for _, step := range []proof.AskKind{proof.ReadChip, proof.CaptureDocument} {
		if route.CanReopen(s, step) {
			t.Errorf("a chip that failed is taken back with %s", step)
		}
	}
	claimed := visit(starts(proof.PracticeDetails), agree, claims(wren), way(proof.ChooseEvidence), chosen(proof.Passport, proof.ByZone, true), document, forged,
		proof.StepReopened{Step: proof.ClaimIdentity}, claims(wren))
	for rule, s := range map[string]route.State{
		"the claim is taken back":    claimed,
		"the document is read again": visit(begin, agree, document, forged, proof.StepReopened{Step: proof.CaptureDocument}, document, examined(t), faceNo, same),
		"another is shown":           visit(begin, agree, document, forged, decided(t), chosen(proof.Passport, proof.ByZone, true), document, examined(t), faceNo, same),
	} {
		if out := verdict.Decide(s, policy(t)); out.Result != proof.Review {
			t.Errorf("%s: %s at %s", rule, out.Result, out.Level)
		}
	}
}
