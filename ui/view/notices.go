package view

import (
	"strconv"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/ui/form"
)

// Notices is a list one line of which can be chosen: the news of earlier visits,
// or the accounts.
type Notices struct {
	Frame
	List form.Choice // no options where there is nothing
}

// unseen counts the news that nobody has seen.
func unseen(list []api.Notice) int {
	n := 0
	for _, notice := range list {
		if !notice.Seen {
			n++
		}
	}
	return n
}

// noticesLabel is the button that opens the news, with how much of it is new.
func noticesLabel(s State) string {
	if n := unseen(s.Notices); n > 0 {
		return s.Words.Say("act.notices.new", "count", s.Words.Count("news", n))
	}
	return s.Words.Say("act.notices")
}

// notices lists the news. Nothing in it tells who it is about.
func notices(s State) Screen {
	w, f := s.Words, frame(s, "notices")
	f.Title, f.Lead, f.Escape = w.Say("notices.title"), []string{w.Say("notices.lead")}, Intent{Verb: DoClose}
	v := Notices{List: form.Choice{Key: form.NoticeKey, Label: w.Say("notices.choose")}}
	for _, n := range s.Notices {
		item := w.Say("notices.item", "ref", string(n.Ref), "time", w.Moment(n.At), "news", w.Or("notice", n.Kind, "other"))
		if !n.Seen {
			item = w.Say("notices.new", "item", item)
		}
		v.List.Options = append(v.List.Options, form.Option{Key: strconv.FormatUint(n.ID, 10), Label: item})
	}
	if len(v.List.Options) == 0 {
		f.Lead = append(f.Lead, w.Say("notices.none"))
	} else {
		v.List.Preset = v.List.Options[0].Key
		f.Actions = []Action{
			act(w.Say("notices.seen"), Primary, DoNotice),
			{w.Say("notices.print"), Intent{Verb: DoNotice, Print: true}, Secondary},
		}
	}
	f.Actions = append(f.Actions, act(w.Say("notices.look"), Secondary, DoLook), act(w.Say("act.back"), Secondary, DoClose))
	v.Frame = f
	return v
}
