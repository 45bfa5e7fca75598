package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/opener"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/verdict"
)

// maxSteps bounds a visit: no visit has so many questions.
const maxSteps = 60

// visit goes through one visit as clerk and patient, by the asks alone. It goes
// on with an earlier one if there is one.
func (w *world) visit(ctx context.Context, continues proof.Ref) (api.Visit, error) {
	w.say("%s signs in; there comes %s.", w.clerk.Operator.Name, w.story.told)
	v, err := w.client.StartVisit(ctx, api.NewVisit{Route: w.story.route, Language: w.cfg.Language, Continues: string(continues)})
	if err != nil {
		return v, fmt.Errorf("starting a visit: %w", err)
	}
	for range maxSteps {
		if v.Ended {
			return v, nil
		}
		if len(v.Asks) == 0 {
			return v, errors.New("the visit asks for nothing and has not ended")
		}
		if v, err = w.step(ctx, v); err != nil {
			return v, fmt.Errorf("answering %s: %w", v.Asks[0].Kind, err)
		}
	}
	return v, errors.New("the visit does not end")
}

// step answers the recommended ask.
func (w *world) step(ctx context.Context, v api.Visit) (api.Visit, error) {
	ask := v.Asks[0]
	if own, ok := w.story.answers[ask.Kind]; ok && ask.Party == proof.Patient {
		answer := own(w, v)
		answer.Seen = v.Events
		return w.client.Answer(ctx, v.ID, answer)
	}
	answer := api.Answer{Seen: v.Events, Ask: ask.Kind}
	switch ask.Kind {
	case proof.AskProofingConsent:
		w.say("The patient agrees to the check.")
		answer.Given, answer.Text = true, "demo"
	case proof.AskFaceConsent:
		w.say("The %s agrees that a machine compares the face.", who(ask))
		answer.Given, answer.Text = true, "demo"
	case proof.CaptureDocument:
		if ask.Attempt > 2 {
			w.say("The document cannot be read; the visit ends with what there is.")
			answer.Ask, answer.Do = proof.Finish, api.DoChoose
			break
		}
		w.say("The passport's data page of the %s lies before the camera.", who(ask))
	case proof.KeyDocument:
		answer.Ask, answer.Do = proof.Finish, api.DoChoose
	case proof.ReadChip:
		if ask.Attempt > 1 {
			w.say("The chip cannot be read (%s); the clerk goes on without it.", ask.Problem)
			answer.Ask, answer.Do = proof.ExamineDocument, api.DoChoose
			break
		}
		w.say("The passport of the %s lies on the chip reader.", who(ask))
	case proof.ExamineDocument:
		w.tellDocument(v.Document)
		answer.Exam = &api.Examination{Original: true, Details: proof.Agree, Features: v.Document.Features, UVIR: w.story.expert}
	case proof.CaptureFace:
		answer = w.faceAnswer(answer, ask)
	case proof.ComparePerson:
		w.tellFace(v.Face, ask)
		answer.Same = proof.Same
	case proof.ConfirmResult:
		w.tellOutcome(*v.Outcome)
	case proof.EndVisit:
		w.tellSlip(v)
	}
	return w.client.Answer(ctx, v.ID, answer)
}

// who is whom an ask is about, in a word.
func who(a proof.Ask) string {
	if a.Party == proof.Patient {
		return "patient"
	}
	return string(a.Party)
}

// faceAnswer photographs the patient once; after a machine's "another person"
// the demonstration's clerk ends the visit, which goes to review.
func (w *world) faceAnswer(a api.Answer, ask proof.Ask) api.Answer {
	switch {
	case ask.Why == proof.FaceDifferent:
		w.say("The machine says another person. The clerk does not overrule it: the visit goes to review.")
		a.Ask, a.Do = proof.Finish, api.DoChoose
	case ask.Attempt > 0:
		w.say("No usable photograph (%s); the clerk compares by eye.", ask.Problem)
		a.Ask, a.Do = proof.ComparePerson, api.DoChoose
	default:
		w.say("The %s looks into the camera.", who(ask))
	}
	return a
}

// listen hears the guidance that a counter's screen would show, tells it, and
// moves the document as it asks. It closes hears once nothing is missed any more.
func (w *world) listen(ctx context.Context, counter *client.Client, hears chan<- struct{}) error {
	var failed error
	var once sync.Once
	err := counter.Events(ctx, func(e api.Event) {
		once.Do(func() { close(hears) })
		switch {
		case e.Kind == api.EventGuidance && e.Guidance == proof.KindHoldChip:
			w.say("  chip: %d %%", e.Percent)
		case e.Kind == api.EventGuidance:
			w.say("  camera: %s", guidance(e.Guidance))
		}
		failed = errors.Join(failed, w.moves(e))
	})
	if ctx.Err() != nil {
		return failed
	}
	return errors.Join(failed, err)
}

// guidance is a word of guidance; none is praise.
func guidance(k proof.Kind) string {
	if k == proof.KindNone {
		return "good"
	}
	return strings.ReplaceAll(string(k), "_", " ")
}

func (w *world) tellDocument(d *api.Document) {
	if d.Format != "" {
		w.say("Read: a %s of %s, format %s; the details are on the clerk's screen.", d.Type, d.Issuer, d.Format)
	}
	if c := d.Chip; c != nil {
		w.say("The chip, opened by %s: its data are %s; a copy is %s; its signer's revocation: %s.", c.Access, word(c.Verdict), word(c.Clone), word(c.Revocation))
	}
	w.say("The clerk examines the original: %s.", strings.Join(d.Features, ", "))
}

func (w *world) tellFace(f *api.Face, ask proof.Ask) {
	if f != nil && f.Decision != "" {
		w.say("The machine's view of the two faces: %s (score %.2f); it is an aid and scores nothing.", f.Decision, f.Score)
	} else {
		w.say("No machine compares here (%s): the clerk compares by eye.", strings.ReplaceAll(string(ask.Why), "_", " "))
	}
	w.say("The clerk, trained to tell impostors, compares person and portrait: the same.")
}

// tellOutcome tells the result with its reasons and what would raise it.
func (w *world) tellOutcome(o proof.Outcome) {
	w.say("")
	w.say("RESULT: %s", o.Result)
	for _, p := range o.Parties {
		w.say("  The %s: GPG 45 %s %s", p.Party, p.Level, p.Profile)
	}
	if o.Request != "" {
		w.say("  The request for proxy access: %s", o.Request)
	}
	if o.Result != proof.NotProved && o.Result != proof.Review {
		w.say("  GPG 45: %s (policy %s)", strings.TrimSuffix(string(o.Level)+", profile "+o.Profile, ", profile "), o.Policy)
		w.say("  NHS login: %s, provisional: %t", o.NHS, o.Provisional)
	}
	w.say("Because:")
	for _, r := range o.Reasons {
		w.say("  - %s", explain(r))
	}
	if len(o.Raise) > 0 {
		w.say("What would raise it:")
		for _, r := range o.Raise {
			w.say("  - %s", explain(r))
		}
	}
	w.say("")
}

// explain is a reason in plain English.
func explain(r proof.Reason) string {
	if text := verdict.Explain(r); text != string(r.Code) {
		return text
	}
	return strings.ReplaceAll(string(r.Code), "_", " ")
}

func (w *world) tellSlip(v api.Visit) {
	w.say("The sealed record is in the queue. Reference %s.", v.Ref)
	if v.Slip == nil {
		return
	}
	if v.Slip.Problem != proof.KindNone {
		w.say("The slip was not printed: %s.", v.Slip.Problem)
	}
	w.slip = v.Slip.Lines
	for _, l := range v.Slip.Lines {
		w.say("    | %s", l)
	}
}

// patience is how long the demonstration waits for the centre and the opener.
const patience = 30 * time.Second

// delivered waits until the centre's receipt is there and the opener has opened
// the record of the reference, and follows what comes back.
func (w *world) delivered(ctx context.Context, ref proof.Ref) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := w.acknowledged(ctx, ref); err != nil {
		return err
	}
	w.say("The centre has answered with a signed receipt; the counter has verified it.")
	found, told := false, map[uint64]bool{}
	for ctx.Err() == nil {
		opened, err := w.opener.Once(ctx, func(r opener.Result) {
			if proof.Ref(r.Ref) == ref {
				found = true
				w.tellOpened(r)
			}
		})
		if err != nil {
			return fmt.Errorf("opening the record: %w", err)
		}
		fresh, err := w.hears(ctx, ref, told)
		if err != nil {
			return err
		}
		if found && opened == 0 && fresh == 0 {
			return nil
		}
	}
	return errors.New("the opener has not found the record")
}

// hears asks the centre for news, as a clerk does while the patient waits, and
// tells what is new of a reference, oldest first.
func (w *world) hears(ctx context.Context, ref proof.Ref, told map[uint64]bool) (fresh int, err error) {
	list, err := w.client.LookForNews(ctx)
	if err != nil {
		return 0, fmt.Errorf("asking for news: %w", err)
	}
	for _, n := range slices.Backward(list.Notices) {
		if n.Ref != ref || told[n.ID] {
			continue
		}
		told[n.ID] = true
		fresh++
		w.tellNews(n)
		if err := w.client.NoticeSeen(ctx, api.NoticeSeen{ID: n.ID, Print: true}); err != nil {
			return fresh, fmt.Errorf("marking news: %w", err)
		}
	}
	return fresh, nil
}

// tellNews tells a piece of news with the second slip that goes with it.
func (w *world) tellNews(n api.Notice) {
	w.say("NEWS from the centre, signed by the opener: %s. The second slip:", strings.ReplaceAll(n.Kind, "_", " "))
	for _, l := range n.Slip {
		w.say("    | %s", l)
	}
}

// acknowledged waits for the receipt of one record.
func (w *world) acknowledged(ctx context.Context, ref proof.Ref) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := w.client.Queue(ctx)
		if err != nil {
			return fmt.Errorf("reading the queue: %w", err)
		}
		for _, item := range list.Items {
			if item.Ref == ref && atCentre(item.State) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the centre has not answered within %s", patience)
		case <-tick.C:
		}
	}
}

// atCentre reports whether a record in this state is at the centre.
func atCentre(state string) bool {
	return slices.Contains([]string{"acked", "proven", "purged"}, state)
}

func (w *world) tellOpened(r opener.Result) {
	w.say("The opener has opened the record and scored it again: %s, level %s %s; it agrees with the counter: %t.",
		r.Result, r.Level, r.Profile, r.Agrees)
}
