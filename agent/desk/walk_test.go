package desk_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
)

// walker answers a visit at random, as a clerk does who tries everything.
type walker struct {
	*rand.Rand
	t *testing.T
	d *desk.Desk
}

// pick draws one of some.
func pick[T any](r *rand.Rand, some ...T) T { return some[r.IntN(len(some))] }

// answer is a good answer to an ask.
func (w walker) answer(v api.Visit, ask proof.AskKind) api.Answer {
	a := api.Answer{Seen: v.Events, Ask: ask, Given: w.IntN(4) > 0, Same: pick(w.Rand, proof.Same, proof.Same, proof.Different, proof.NotSure, proof.NotTrained)}
	switch ask {
	case proof.KeyDocument:
		a.Lines = []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
	case proof.ExamineDocument:
		a.Exam = &api.Examination{Original: w.IntN(6) > 0, Details: pick(w.Rand, proof.Agree, proof.Agree, proof.Agree, proof.Misread, proof.Contradicts),
			Features: v.Document.Features}
	case proof.ChooseEvidence:
		a.Type = pick(w.Rand, v.Choices...).Type
	case proof.ClaimIdentity:
		a.Identity = &typed
	case proof.EnterEvidence:
		fields := *card()
		fields.Sure = true
		a.Fields = &fields
	case proof.GiveVouch:
		a.Vouch = &api.VouchForm{Voucher: api.Identity{Surname: "Quill"}, VouchGiven: proof.VouchGiven{Occupation: "teacher", Organisation: "Afon School",
			Contact: "01632 960001", KnownSince: proof.Date{Year: 2015}, Statement: "1", Signed: true, Present: true}}
	case proof.GivePractice:
		a.Practice = &api.Practice{ODS: "B85036", Account: "9422353604", Key: "inventedKey1"}
	case proof.RequestProxy:
		a.Proxy = &proof.ProxyRequested{Relationship: "carer_consented", Basis: "consent", Actions: entry.Actions()[:1], Agreed: true, Text: "1", Language: "en", Alone: true}
	case proof.RedeemClaim:
		a.Claim = &proof.ClaimRedeemed{Token: entry.Token([10]byte{1}, lately()).Token, Email: "wren@example.org", Mobile: "07700 900123"}
	case proof.SetPreferences:
		a.Preferences = &proof.PreferencesGiven{Contact: "letter"}
	case proof.GiveFeedback:
		a.Feedback = &proof.FeedbackGiven{Score: 1 + w.IntN(5)}
	}
	return a
}

// step answers one ask and must be taken.
func (w walker) step(v api.Visit, ask proof.AskKind) api.Visit {
	w.t.Helper()
	a := w.answer(v, ask)
	var next api.Visit
	var err error
	switch {
	case ask == proof.SecondPerson:
		next, err = w.d.Second(w.t.Context(), kim, v.Events, w.IntN(2) > 0)
	case w.IntN(5) == 0 && ask != proof.EndVisit:
		a.Do = api.DoChoose
		next, err = w.d.Answer(w.t.Context(), robin, a)
	default:
		next, err = w.d.Answer(w.t.Context(), robin, a)
	}
	if err != nil {
		w.t.Fatalf("%s was offered among %v to the %q and is refused: %v; people %+v", ask, asks(v), v.Party, err, v.People)
	}
	return next
}

// back takes any step back, if there is one of that kind.
func (w walker) back(v api.Visit) api.Visit {
	w.t.Helper()
	kinds := []proof.AskKind{proof.ClaimIdentity, proof.KeyDocument, proof.CaptureDocument, proof.EnterEvidence, proof.ExamineDocument, proof.AskFaceConsent,
		proof.ComparePerson, proof.GiveVouch, proof.GivePractice, proof.RequestProxy, proof.RedeemClaim}
	next, err := w.d.Answer(w.t.Context(), robin, api.Answer{Seen: v.Events, Do: api.DoReopen, Ask: pick(w.Rand, kinds...)})
	if err != nil && proof.KindOf(err) != proof.KindAskNotOpen {
		w.t.Fatalf("taking a step back: %v", err)
	}
	return next
}

// ways out of a visit, the quickest first.
var ways = []proof.AskKind{
	proof.EndVisit, proof.SealRecord, proof.PrintSlip, proof.MakeClaim, proof.Decide, proof.ConfirmResult, proof.Finish, proof.AskProofingConsent,
	proof.AskFaceConsent, proof.ComparePerson, proof.ExamineDocument, proof.CompareFaces, proof.RequestProxy, proof.ClaimIdentity,
}

// out goes the quickest way to the end.
func (w walker) out(v api.Visit) {
	w.t.Helper()
	for range 30 {
		if v.Ended {
			return
		}
		i := slices.IndexFunc(ways, func(k proof.AskKind) bool { return slices.Contains(asks(v), k) })
		if i < 0 {
			w.t.Fatalf("no way out of %v, the turn of the %q", asks(v), v.Party)
		}
		a := w.answer(v, ways[i])
		a.Given, a.Same = true, proof.Same
		next, err := w.d.Answer(w.t.Context(), robin, a)
		if err != nil {
			w.t.Fatalf("%s on the way out: %v", ways[i], err)
		}
		v = next
	}
	w.t.Fatalf("the visit does not end; it asks %v", asks(v))
}

// sam is a colleague, and the patient's namesake.
var sam = [2]proof.Operator{{ID: "sam", Name: "Sam Vale"}, {ID: "sam", Name: "Morgan Specimen"}}

// again is the desk of a counter that was killed: everything that was answered is
// there.
func again(t *testing.T, r *room, before api.Visit) (*desk.Desk, api.Visit) {
	t.Helper()
	d := r.withRoutes("", robin, kim)
	v, err := d.Visit()
	if err != nil || v.ID != before.ID || v.Events < before.Events || before.Ref != "" && v.Ref != before.Ref {
		t.Fatalf("after event %d of %s the counter takes up event %d of %s: %v", before.Events, before.ID, v.Events, v.ID, err)
	}
	return d, v
}

// recorded holds the record of a visit against what the clerk was shown.
func recorded(t *testing.T, r *room, seed uint64) {
	t.Helper()
	if len(r.records) != 1 {
		t.Errorf("seed %d: %d records", seed, len(r.records))
	}
	for _, parts := range r.records {
		for _, p := range parts {
			for _, word := range []string{"MORGAN", "QUILL", "WREN", "SPECI853125", "SPECI 853125", "U1234567", "9422353604", "INVENTEDKEY", "7700900123", "AFON", "01632 960"} {
				if p.Name == packet.Audit && bytes.Contains(bytes.ToUpper(p.Bytes), []byte(word)) {
					t.Errorf("seed %d: the auditors read %s", seed, word)
				}
			}
		}
		read, err := packet.Read(parts)
		if err != nil {
			t.Errorf("seed %d: the record does not read: %v", seed, err)
			continue
		}
		if s := route.Fold(read.Events); s.Outcome == nil || s.Outcome.Result != read.Claims.Outcome.Result || s.Outcome.Level != read.Claims.Outcome.Level {
			t.Errorf("seed %d: the opener folds %+v, the claims say %+v", seed, s.Outcome, read.Claims.Outcome)
		}
	}
}

// TestNoWayLeadsNowhere walks every route at random: whatever a clerk is offered
// is taken, every visit can be ended, and its record reads.
func TestNoWayLeadsNowhere(t *testing.T) {
	t.Parallel()
	for _, name := range route.Routes() {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(8) {
				r := newRoom(t)
				r.document, r.face = devices.NoDevice{Op: "filming"}, devices.NoDevice{Op: "filming"}
				if seed%2 == 0 {
					r.slipFails = &devices.Fault{Kind: devices.PaperOut}
				}
				d := r.withRoutes("", robin, kim, sam[seed/2%2])
				w := walker{rand.New(rand.NewPCG(seed, 7)), t, d}
				v, err := d.Start(t.Context(), robin, api.NewVisit{Route: name})
				if err != nil {
					t.Fatal(err)
				}
				v = say(t, d, v, api.Answer{Ask: proof.AskProofingConsent, Given: true})
				for range 40 {
					if v.Ended {
						break
					}
					if v = w.step(v, pick(w.Rand, asks(v)...)); w.IntN(4) == 0 && !v.Ended {
						v = w.back(v)
					}
					if w.IntN(10) == 0 && !v.Ended { // and the counter is killed
						w.d, v = again(t, r, v)
					}
				}
				w.out(v)
				recorded(t, r, seed)
			}
		})
	}
}
