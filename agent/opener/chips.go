package opener

import (
	"slices"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// chips has every chip of a visit judged once more, from its files; nil judges
// none. What counts for nothing already is not looked at.
func chips(r Result, v packet.Visit, confirms func(files []byte, said proof.ChipRead) bool) Result {
	if confirms == nil {
		return r
	}
	for _, who := range route.Fold(v.Events).Parties() {
		for _, piece := range who.Pieces() {
			if piece.Chip == nil || piece.Chip.Verdict != proof.ChipGenuine || piece.Chip.Clone == proof.CloneFailed {
				continue
			}
			i := slices.IndexFunc(v.Chips, func(p packet.Picture) bool { return p.ID == piece.Chip.Files })
			if i >= 0 && !confirms(v.Chips[i].JPEG, piece.Chip.ChipRead) {
				r = r.with(ChipNotConfirmed)
			}
		}
	}
	return r
}
