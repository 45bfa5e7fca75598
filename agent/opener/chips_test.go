package opener

import (
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
)

// TestChipsAreJudgedOnceMore holds a record whose chip's files do not bear out
// what the counter said, and one that lacks them.
func TestChipsAreJudgedOnceMore(t *testing.T) {
	t.Parallel()
	read := proof.ChipRead{
		Verdict: proof.ChipGenuine, Revocation: proof.RevocationGood, Clone: proof.CloneExcluded, Access: "PACE-GM", Lines: specimen, Files: "chip-4",
	}
	withChip := func(f proof.ChipRead) []proof.Fact { return slices.Insert(goodFacts(t), 1, proof.Fact(f)) }
	forged, copied := read, read
	forged.Verdict, copied.Clone = proof.ChipSignatureFailed, proof.CloneFailed
	without := func(parts []packet.Part) []packet.Part {
		return slices.DeleteFunc(parts, func(p packet.Part) bool { return p.Name == packet.Chip })
	}
	for rule, c := range map[string]struct {
		s        sealing
		confirms bool
		want     []Finding
		level    proof.Level
	}{
		"it is confirmed":         {sealing{facts: withChip(read)}, true, nil, proof.Medium},
		"it is not confirmed":     {sealing{facts: withChip(read)}, false, []Finding{check.ChipNotConfirmed}, proof.NoLevel},
		"its files are missing":   {sealing{facts: withChip(read), parts: without}, true, []Finding{check.EvidenceMissing}, proof.NoLevel},
		"it counts for nothing":   {sealing{facts: withChip(forged)[:2]}, false, nil, proof.NoLevel},
		"neither does a copy":     {sealing{facts: withChip(copied)[:2]}, false, nil, proof.NoLevel},
		"a visit without any one": {sealing{}, false, nil, proof.Low},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, true)
			w.add(c.s)
			w.confirms = func(files []byte, said proof.ChipRead) bool {
				if string(files) != "jpeg of chip-4" || said.Access != read.Access {
					t.Errorf("judged are %q, said %+v", files, said)
				}
				return c.confirms
			}
			if r := w.once()[0]; !slices.Equal(r.Findings, c.want) || r.Level != c.level {
				t.Errorf("findings %v, level %s; want %v, %s", r.Findings, r.Level, c.want, c.level)
			}
		})
	}
}
