package desk

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// Answer records what a person did about an ask and performs what follows, up
// to the next question. It returns the visit also beside an error, because what
// was recorded before the failure stays.
func (d *Desk) Answer(ctx context.Context, op proof.Operator, a api.Answer) (api.Visit, error) {
	if a.Do == api.DoCancel {
		return d.cancel(op)
	}
	if a.Do == api.DoAnswer && slices.Contains(captures, a.Ask) {
		return d.capture(ctx, op, a)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ready(op, a); err != nil {
		return d.view(), err
	}
	if a.Do == api.DoAnswer && d.retries(a.Ask) {
		return d.viewAfter(d.retry(context.WithoutCancel(ctx), a.Ask))
	}
	fact, err := d.factOf(a)
	if err != nil {
		return d.view(), err
	}
	if err := d.write(ctx, person(op), fact); err != nil {
		return d.view(), err
	}
	if _, ended := fact.(proof.VisitEnded); ended {
		return d.finish()
	}
	return d.viewAfter(d.goOn(ctx))
}

// settle is how long what follows an answer may take. It does not end with the
// screen that asked: the record must be sealed also when the window dies.
const settle = time.Minute

// goOn performs what follows from an answer that was recorded. d.mu is held.
func (d *Desk) goOn(ctx context.Context) error {
	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), settle)
	defer end()
	return errors.Join(d.noticeColleague(ctx), d.proceed(ctx))
}

// captures are the asks that a camera answers, or the chip reader.
var captures = []proof.AskKind{proof.CaptureDocument, proof.CaptureFace, proof.ScanEvidence, proof.ReadChip}

// ready refuses an answer of somebody who has not got the visit, one to a visit
// that has moved on, and any while a capture runs.
func (d *Desk) ready(op proof.Operator, a api.Answer) error {
	switch {
	case d.draft == nil:
		return &proof.Error{Op: "answering", Kind: proof.KindNoVisit}
	case op.ID != d.state.Operator:
		return &proof.Error{Op: "answering", Kind: proof.KindNotAllowed}
	case d.films != nil, a.Seen != d.state.Seq:
		return &proof.Error{Op: "answering", Kind: proof.KindAskNotOpen}
	}
	return nil
}

// viewAfter pairs the visit with an error; a visit that ended meanwhile is the
// last one.
func (d *Desk) viewAfter(err error) (api.Visit, error) {
	if d.draft == nil && d.last != nil {
		return *d.last, err
	}
	return d.view(), err
}

// retries reports whether the ask is one that the desk performs, left open by a
// failure.
func (d *Desk) retries(ask proof.AskKind) bool {
	_, ok := d.performers()[ask]
	return ok && ask != proof.EndVisit
}

// retry performs a step of the desk once more at a person's wish, and goes on.
func (d *Desk) retry(ctx context.Context, ask proof.AskKind) error {
	if !d.asks(ask) {
		return &proof.Error{Op: "trying again", Kind: proof.KindAskNotOpen}
	}
	if err := d.performers()[ask](ctx); err != nil {
		return err
	}
	return d.proceed(ctx)
}

// factOf turns an answer into the fact that it states.
func (d *Desk) factOf(a api.Answer) (proof.Fact, error) {
	switch a.Do {
	case api.DoAnswer:
		return d.answered(a)
	case api.DoChoose:
		return proof.WayChosen{Way: a.Ask}, nil
	case api.DoReopen:
		return proof.StepReopened{Step: a.Ask}, nil
	case api.DoAbandon:
		return proof.VisitAbandoned{Reason: abandonReason(a.Reason)}, nil
	case api.DoConcern:
		return proof.ConcernRaised{}, nil
	case api.DoTable:
		return d.table(a)
	}
	return nil, &proof.Error{Op: "answering", Kind: proof.KindBadRequest}
}

// abandonReason keeps a reason of the closed list.
func abandonReason(c proof.Code) proof.Code {
	switch c {
	case proof.PatientLeft, proof.NoSuitableDocument, proof.ClerkStopped:
		return c
	}
	return proof.ClerkStopped
}

// answered is the fact of an answer to the ask itself.
func (d *Desk) answered(a api.Answer) (proof.Fact, error) {
	switch a.Ask {
	case proof.AskProofingConsent:
		return d.consent(proof.ForProofing, a)
	case proof.AskFaceConsent:
		return d.consent(proof.ForFace, a)
	case proof.KeyDocument:
		return d.keyed(a)
	case proof.ExamineDocument:
		return d.examined(a)
	case proof.ComparePerson:
		return d.comparedByEye(a)
	case proof.ConfirmResult:
		return proof.ResultConfirmed{}, nil
	case proof.EndVisit:
		return proof.VisitEnded{}, nil
	case proof.Finish:
		return proof.WayChosen{Way: proof.Finish}, nil
	}
	return d.typed(a)
}

func (d *Desk) consent(p proof.Purpose, a api.Answer) (proof.Fact, error) {
	version, ok := entry.Version(a.Text)
	if !ok {
		return nil, &proof.Error{Op: "consenting", Kind: proof.KindBadRequest}
	}
	return proof.ConsentAnswered{Purpose: p, Given: a.Given, Text: version, Language: d.state.Visit.Language}, nil
}

// examined takes the clerk's examination. Its words are the policy's alone:
// auditors read them, and a free one could tell who was examined.
func (d *Desk) examined(a api.Answer) (proof.Fact, error) {
	if a.Exam == nil || !d.features(a.Exam.Features) || !d.features(a.Exam.Doubts) {
		return nil, &proof.Error{Op: "examining", Kind: proof.KindBadRequest}
	}
	switch a.Exam.Details {
	case proof.Agree, proof.Misread, proof.Contradicts:
	default:
		return nil, &proof.Error{Op: "examining", Kind: proof.KindBadRequest}
	}
	fact := proof.DocumentExamined{
		Original: a.Exam.Original, Details: a.Exam.Details, Features: slices.Concat([]string{}, a.Exam.Features),
		Doubts: a.Exam.Doubts, UVIR: a.Exam.UVIR, Trained: d.state.Trained,
	}
	if fact.UVIR {
		fact.Templates = d.cfg.Templates
	}
	return fact, nil
}

// comparedByEye takes the operator's own comparison.
func (d *Desk) comparedByEye(a api.Answer) (proof.Fact, error) {
	switch a.Same {
	case proof.Same, proof.Different, proof.NotSure, proof.NotTrained:
		return proof.PersonCompared{Answer: a.Same, Method: proof.PersonInPerson, Trained: d.state.Trained}, nil
	}
	return nil, &proof.Error{Op: "comparing", Kind: proof.KindBadRequest}
}

// features reports whether words are features of the piece in hand, each once.
func (d *Desk) features(words []string) bool {
	known := d.cfg.Policy.Features(d.state.Of(route.Turn(d.state)).Type())
	for i, w := range words {
		if !slices.Contains(known, w) || slices.Contains(words[:i], w) {
			return false
		}
	}
	return true
}
