package clerklog

import (
	"encoding/json"
	"os"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/proof"
)

// Listed is how many deeds one list has at most.
const Listed = 500

// Wish says which deeds to list.
type Wish struct {
	From time.Time
	// About is whose: what they did and what was done with their account; ""
	// lists everybody's.
	About proof.OperatorID
}

// wants reports whether a deed is wished.
func (w Wish) wants(d api.Deed) bool {
	return !d.At.Before(w.From) && (w.About == "" || d.Who == w.About || d.Whom == w.About)
}

// List reads the deeds that are wished, newest first, and checks every line on
// the way. Where lines are missing or were changed, what can be read is listed
// and Problem tells.
func (l *Log) List(w Wish) (api.Activity, error) {
	out := api.Activity{Deeds: []api.Deed{}}
	if l == nil {
		return out, failed("reading the record", os.ErrClosed)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	parts, err := l.parts()
	if err != nil {
		return out, err
	}
	slices.Reverse(parts)
	if !l.whole(parts) {
		out.Problem = proof.KindLogDamaged
	}
	want := l.n // lines that a part must have; -1 where nothing tells
	for _, number := range parts {
		p := l.read(number)
		if p.broken || want >= 0 && p.n != want {
			out.Problem = proof.KindLogDamaged
		}
		take(&out, p.deeds, w)
		if out.More || p.before(w.From) {
			return out, nil
		}
		want = p.head.After
		if p.broken || p.head.Damaged {
			want, out.Problem = -1, proof.KindLogDamaged
		}
	}
	return out, nil
}

// whole reports whether all parts are there, newest first: none missing between,
// and none of the oldest but those that trim let go.
func (l *Log) whole(parts []int) bool {
	for i, number := range parts {
		if number != l.part-i {
			return false
		}
	}
	return len(parts) > 0 && parts[len(parts)-1] <= max(1, l.part-l.cfg.Parts+1)
}

// take adds the deeds of a part that are wished, newest first, as long as there
// is room.
func take(out *api.Activity, deeds []api.Deed, w Wish) {
	for _, d := range slices.Backward(deeds) {
		switch {
		case !w.wants(d):
		case len(out.Deeds) == Listed:
			out.More = true
			return
		default:
			out.Deeds = append(out.Deeds, d)
		}
	}
}

// part is one part as it was read.
type part struct {
	head   head
	deeds  []api.Deed
	n      int  // lines that are good
	broken bool // one is not
}

// before reports whether the part begins before a moment, so that older parts
// have nothing that is wished.
func (p part) before(from time.Time) bool {
	return !p.broken && len(p.deeds) > 0 && p.deeds[0].At.Before(from)
}

// read reads a part up to the first line that is not as it was written.
func (l *Log) read(number int) part {
	var p part
	err := ledger.Read(l.folder(number), l.keyOf(number), func(text []byte) error {
		var got line
		if json.Unmarshal(text, &got) != nil {
			return ledger.ErrTampered
		}
		if got.Head != nil {
			p.head = *got.Head
		}
		if got.Deed != nil {
			p.deeds = append(p.deeds, *got.Deed)
		}
		p.n++
		return nil
	})
	p.broken = err != nil
	return p
}
