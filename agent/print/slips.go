package print

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/slip"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/sync/wire"
)

// Slips prints the slips of visits on whatever printer is there then.
type Slips struct {
	Printer devices.Printer
	Site    string // where the counter stands, as it is printed
	// Language and Training are the counter's, for news; a visit knows its own.
	Language string
	Training bool
}

// layout is the slip of a visit whose record is in the queue.
func (s Slips) layout(v route.State) []slip.Line {
	facts := slip.Facts{
		Outcome: *v.Outcome, Ref: v.Ref, Site: s.Site, At: route.Local(v.Started.At),
		Language: v.Visit.Language, Training: v.Visit.Training,
	}
	if v.Token != nil {
		facts.Token, facts.Until = v.Token.Token, v.Token.Until
	}
	return slip.Make(facts)
}

// Lines is the slip as plain lines, for a screen.
func (s Slips) Lines(v route.State) []string { return slip.Text(s.layout(v)) }

// Print prints the slip.
func (s Slips) Print(ctx context.Context, v route.State) error {
	return s.send(ctx, s.layout(v))
}

// News prints the second slip, of what has become of an earlier visit.
func (s Slips) News(ctx context.Context, n api.Notice) error { return s.send(ctx, s.news(n)) }

// NewsLines is the second slip as plain lines, for a screen.
func (s Slips) NewsLines(n api.Notice) []string { return slip.Text(s.news(n)) }

// news is the second slip. Nothing at the counter tells the patient's language
// any more, so it is the counter's.
func (s Slips) news(n api.Notice) []slip.Line {
	return slip.Tell(slip.News{
		Kind: wire.NoticeKind(n.Kind), Ref: n.Ref, Site: s.Site, At: route.Local(n.At), Language: s.Language, Training: s.Training,
	})
}

// send lays lines out for the printer that is there and prints them.
func (s Slips) send(ctx context.Context, lines []slip.Line) error {
	job, err := Job(s.Printer.Accepts(), lines)
	if err != nil {
		return err
	}
	return s.Printer.Print(ctx, job)
}

// Report prints the record of who did what, about one clerk or, for "", about
// everybody.
func (s Slips) Report(ctx context.Context, in api.Report, about proof.OperatorID, record api.Activity) error {
	return s.send(ctx, slip.Report(slip.Deeds{
		About: about, From: route.Local(in.From), At: route.Local(time.Now()), Site: s.Site, Language: in.Language,
		Training: s.Training, Record: record, Local: route.Local,
	}))
}
