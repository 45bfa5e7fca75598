package print

import (
	"context"

	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/slip"
	"github.com/counterproof/counterproof/devices"
)

// Slips prints the slips of visits on whatever printer is there then.
type Slips struct {
	Printer devices.Printer
	Site    string // where the counter stands, as it is printed
}

// layout is the slip of a visit whose record is in the queue.
func (s Slips) layout(v route.State) []slip.Line {
	return slip.Make(slip.Facts{
		Outcome: *v.Outcome, Ref: v.Ref, Site: s.Site, At: route.Local(v.Started.At),
		Language: v.Visit.Language, Training: v.Visit.Training,
	})
}

// Lines is the slip as plain lines, for a screen.
func (s Slips) Lines(v route.State) []string { return slip.Text(s.layout(v)) }

// Print prints the slip.
func (s Slips) Print(ctx context.Context, v route.State) error {
	job, err := Job(s.Printer.Accepts(), s.layout(v))
	if err != nil {
		return err
	}
	return s.Printer.Print(ctx, job)
}
