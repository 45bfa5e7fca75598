package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// unplugging is a visit during which somebody pulls out one device after the
// other, and puts them back.
var unplugging = map[proof.AskKind]func(*world, api.Visit) api.Answer{
	proof.CaptureDocument: func(w *world, v api.Visit) api.Answer {
		if v.Asks[0].Attempt == 0 {
			w.pull("document camera")
		} else {
			w.say("The passport's data page lies before the camera.")
		}
		return api.Answer{Ask: proof.CaptureDocument}
	},
	proof.KeyDocument: func(w *world, v api.Visit) api.Answer {
		w.say("The clerk may key the two lines instead (%s).", trouble(v))
		w.putBack("document camera")
		return api.Answer{Ask: proof.CaptureDocument, Do: api.DoChoose}
	},
	proof.ReadChip: func(w *world, v api.Visit) api.Answer {
		if v.Asks[0].Attempt == 0 {
			w.pull("chip reader")
		} else {
			w.say("The passport lies on the chip reader.")
		}
		return api.Answer{Ask: proof.ReadChip}
	},
	proof.ExamineDocument: func(w *world, v api.Visit) api.Answer {
		if v.Document.Chip == nil {
			w.say("The clerk may go on without the chip (%s).", trouble(v))
			w.putBack("chip reader")
			return api.Answer{Ask: proof.ReadChip, Do: api.DoChoose}
		}
		w.tellDocument(v.Document)
		return api.Answer{Ask: proof.ExamineDocument, Exam: &api.Examination{Original: true, Details: proof.Agree, Features: v.Document.Features}}
	},
	proof.CaptureFace: func(w *world, _ api.Visit) api.Answer {
		w.pull("face camera")
		return api.Answer{Ask: proof.CaptureFace}
	},
	proof.ComparePerson: func(w *world, v api.Visit) api.Answer {
		w.tellFace(v.Face, v.Asks[0])
		w.putBack("face camera")
		return api.Answer{Ask: proof.ComparePerson, Same: proof.Same}
	},
	proof.ConfirmResult: func(w *world, v api.Visit) api.Answer {
		w.tellOutcome(*v.Outcome)
		w.pull("printer")
		return api.Answer{Ask: proof.ConfirmResult}
	},
	proof.PrintSlip: func(w *world, v api.Visit) api.Answer {
		w.say("The record is safe in the queue; only the slip was not printed (%s).", trouble(v))
		w.putBack("printer")
		return api.Answer{Ask: proof.PrintSlip}
	},
}

// trouble is what went wrong with a device, in words.
func trouble(v api.Visit) string {
	for _, a := range v.Asks {
		if a.Problem != proof.KindNone {
			return strings.ReplaceAll(string(a.Problem), "_", " ")
		}
	}
	return "nothing"
}

// pull pulls a simulated device out, as a trainer does.
func (w *world) pull(name string) {
	w.say("Somebody pulls the %s out.", name)
	err := os.MkdirAll(filepath.Dir(w.plug(name)), 0o700)
	if err == nil {
		err = os.WriteFile(w.plug(name), nil, 0o600)
	}
	w.noticed(name, false, err)
}

// putBack plugs it in again.
func (w *world) putBack(name string) {
	w.say("It is plugged in again.")
	w.noticed(name, true, os.Remove(w.plug(name)))
}

// plug is the file that pulls a device out.
func (w *world) plug(name string) string {
	return filepath.Join(w.conf.Data, "trainer", strings.ReplaceAll(name, " ", "_")+".unplugged")
}

// noticed waits until the counter shows that a device came or went.
func (w *world) noticed(name string, here bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for err == nil {
		var status api.Status
		status, err = w.client.Status(ctx)
		if slices.ContainsFunc(status.Devices, func(d api.Device) bool {
			return strings.EqualFold(d.Name, "Simulated "+name) && d.Ready == here
		}) {
			return
		}
		select {
		case <-ctx.Done():
			err = errors.New("the counter does not notice")
		case <-tick.C:
		}
	}
	w.say("%s", fmt.Sprintf("The %s: %v.", name, err))
}
