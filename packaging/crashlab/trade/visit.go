package trade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/agent/draft"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/custody"
)

// visits are worked on one after the other; the first is finished and erased.
var visits = [...]proof.CaseID{"crashaaaa", "crashbbbb", "crashcccc"}

// event is a visit's nth, with its pictures: the first opens it and has none.
func event(id proof.CaseID, n int) (proof.Event, []draft.Picture) {
	e := proof.Event{Seq: n, At: time.Date(2026, 11, 22, 10, n, 0, 0, time.UTC), By: proof.Actor{Kind: proof.BySystem}}
	if n == 1 {
		e.Fact = proof.VisitStarted{Case: id}
		return e, nil
	}
	p := draft.Picture{ID: proof.PictureID(fmt.Sprint("page-", n)), JPEG: content(n, 9000)}
	e.Fact = proof.DocumentRead{Lines: []string{fmt.Sprint("LINE ", n)}, Page: p.ID}
	return e, []draft.Picture{p}
}

// openDrafts opens the folder of open visits with the counter's own keys.
func openDrafts(dir string) (*draft.Store, error) {
	keeper, err := custody.Open(keysDir(dir))
	if err != nil {
		return nil, err
	}
	return draft.Open(draftDir(dir), keeper)
}

// keepVisits keeps visits under way, event by event.
func keepVisits(_ context.Context, dir string, say Say) error {
	s, err := again(func() (*draft.Store, error) { return openDrafts(dir) })
	if err != nil {
		return err
	}
	for i, id := range visits {
		d, err := again(func() (*draft.Draft, error) { return begin(dir, s, id) })
		if err != nil {
			return err
		}
		say("begun", id)
		for n := range amount {
			e, pictures := event(id, n+1)
			if err := insist(func() error { return d.Append(e, pictures...) }); err != nil {
				return err
			}
			say("event", id, n+1)
		}
		if i > 0 {
			continue
		}
		say("erasing", id)
		if err := insist(d.Erase); err != nil {
			return err
		}
		say("erased", id)
	}
	return nil
}

// begin makes a visit's draft, or finds the one that a failed try has left. Half
// a draft that the disk would not let go is removed by opening the folder again.
func begin(dir string, s *draft.Store, id proof.CaseID) (*draft.Draft, error) {
	d, err := s.Begin(id)
	if proof.KindOf(err) == proof.KindVisitOpen {
		return s.Resume(id)
	}
	if errors.Is(err, os.ErrExist) {
		if _, err := openDrafts(dir); err != nil {
			return nil, err
		}
		return s.Begin(id)
	}
	return d, err
}

// checkVisits looks for every event that was answered.
func checkVisits(_ context.Context, dir string, said Said) error {
	s, err := openDrafts(dir)
	if err != nil {
		return fmt.Errorf("opening the drafts again: %w", err)
	}
	there, err := s.Visits()
	if err != nil {
		return err
	}
	var wrong problems
	for _, id := range visits {
		if said.has("erased", id) && slices.Contains(there, id) {
			wrong.add("visit %s was erased and is there", id)
		}
		if said.has("erasing", id) {
			continue // either it is there or not, and nobody reads it
		}
		if !slices.Contains(there, id) {
			if said.has("begun", id) {
				wrong.add("visit %s is gone", id)
			}
			continue
		}
		wrong = append(wrong, checkVisit(s, id, said)...)
	}
	return wrong.err()
}

// checkVisit looks for one visit's events, and appends the next.
func checkVisit(s *draft.Store, id proof.CaseID, said Said) (wrong problems) {
	d, err := s.Resume(id)
	if err != nil {
		wrong.add("resuming %s: %v", id, err)
		return wrong
	}
	defer d.Close()
	promised := 0
	for _, words := range said.each("event") {
		if words[0] == string(id) {
			promised, _ = strconv.Atoi(words[1])
		}
	}
	events := d.Events()
	if len(events) < promised || len(events) > promised+1 {
		wrong.add("visit %s has %d events, %d were answered", id, len(events), promised)
	}
	for i, got := range events {
		want, pictures := event(id, i+1)
		if got.Seq != want.Seq {
			wrong.add("visit %s has event %d in place %d", id, got.Seq, i+1)
		}
		for _, p := range pictures {
			if jpeg, err := d.Picture(p.ID); err != nil || !bytes.Equal(jpeg, p.JPEG) {
				wrong.add("visit %s, the picture of event %d is not what was written: %v", id, i+1, err)
			}
		}
	}
	e, pictures := event(id, len(events)+1)
	if err := d.Append(e, pictures...); err != nil {
		wrong.add("going on with %s: %v", id, err)
	}
	return wrong
}
