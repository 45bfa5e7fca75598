package store

import (
	"encoding/json"

	"github.com/counterproof/counterproof/sync/wire"
)

// Promised reads the receipt of the answer (JSON) that a record was first given
// into r, and reports whether it is that record's: same agent, number, name and
// place. If not, r stays what it was.
func Promised(text []byte, r *wire.Receipt) bool {
	var first wire.Answer
	if json.Unmarshal(text, &first) != nil || first.Receipt == nil {
		return false
	}
	got := *first.Receipt
	if got.Agent != r.Agent || got.Seq != r.Seq || got.RecHash != r.RecHash || got.LogIndex != r.LogIndex {
		return false
	}
	*r = got
	return true
}
