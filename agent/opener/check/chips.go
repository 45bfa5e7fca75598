package check

import (
	"slices"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// chips has every chip of a visit judged once more, from its files. What counts for
// nothing already is not looked at. A genuine chip without files could be anybody's
// word.
func chips(r Report, v packet.Visit, o Opened) Report {
	if o.Confirms == nil {
		return r
	}
	for _, who := range route.Fold(v.Events).Parties() {
		for _, piece := range who.Pieces() {
			if piece.Chip == nil || piece.Chip.Verdict != proof.ChipGenuine || piece.Chip.Clone == proof.CloneFailed {
				continue
			}
			i := slices.IndexFunc(v.Chips, func(p packet.Picture) bool { return p.ID == piece.Chip.Files })
			if piece.Chip.Files == "" || i >= 0 && !o.Confirms(v.Chips[i].JPEG, piece.Chip.ChipRead) {
				r = r.With(ChipNotConfirmed)
			}
		}
	}
	return r
}
