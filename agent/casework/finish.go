package casework

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/letter"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/sync/wire"
)

// handOn does what follows from a level. Wishes that nobody takes now keep no
// account back.
func (j *job) handOn(ctx context.Context) (pause, error) {
	wishes, err := j.passWishes(ctx)
	if err != nil {
		return pause{}, err
	}
	if p, err := j.account(ctx); err != nil || p.why != "" {
		return p, err
	}
	return wishes, nil
}

// passWishes passes the patient's wishes on, once.
func (j *job) passWishes(ctx context.Context) (pause, error) {
	if !j.e.ruling.Wishes || j.e.did(stepWishes) {
		return pause{}, nil
	}
	p, err := j.needNumber(ctx)
	if err != nil || p.why != "" {
		return p, err
	}
	if !j.cfg.Wishes.PassOn(ctx, j.number, *j.o.State.Preferences) {
		return pause{why: waitWishes}, nil
	}
	if err := j.tell(ctx, j.e, wire.NoticeWishesApplied); err != nil {
		return pause{}, err
	}
	return pause{}, j.add(line{Rec: j.e.rec, Step: stepWishes})
}

// account has the account made.
func (j *job) account(ctx context.Context) (pause, error) {
	if !j.e.ruling.Account || j.e.did(stepAccount) {
		return pause{}, nil
	}
	p, err := j.needNumber(ctx)
	if err != nil || p.why != "" {
		return p, err
	}
	s := j.o.State
	a := Account{Number: j.number, Birth: s.Claimed().Birth, Email: s.Preferences.Email, Mobile: s.Preferences.Mobile, ODS: j.ods(s)}
	kind, p := j.provision(ctx, a)
	if p.why != "" {
		return p, nil
	}
	if err := j.tell(ctx, j.e, kind); err != nil {
		return pause{}, err
	}
	return pause{}, j.add(line{Rec: j.e.rec, Step: stepAccount, Kind: kind})
}

// needNumber asks for the patient's number again where a case goes on later: it
// is not kept. A record that ends automatic release meanwhile ends it here, too.
func (j *job) needNumber(ctx context.Context) (pause, error) {
	if j.number != "" {
		return pause{}, nil
	}
	code, p := j.askNumber(ctx)
	if code != "" {
		return pause{}, j.review(ctx, []proof.Code{code}, true)
	}
	return p, nil
}

// askNumber asks the practice and for the record once more, and says what speaks
// against an account by now, "" for nothing.
func (j *job) askNumber(ctx context.Context) (proof.Code, pause) {
	if p := j.verify(ctx); p.why != "" {
		return "", p
	}
	practice := j.number
	if p := j.askRecord(ctx); p.why != "" {
		return "", p
	}
	switch {
	case j.stopped(), j.number == "":
		return codeRecordStopped, pause{}
	case j.differs(practice), j.known.Refused && j.e.has(wire.NoticeDetailsAccepted):
		return codeRecordDiffers, pause{}
	}
	return "", pause{}
}

// errNoAccounts is why accounts wait for people.
var errNoAccounts = errors.New("no account service is configured")

// provision asks for an account and says what the site hears of it. Every
// disposition comes to news or to another try.
func (j *job) provision(ctx context.Context, a Account) (wire.NoticeKind, pause) {
	if j.cfg.Accounts == nil {
		return "", pause{waitAccount, Delay{Alarm: true, Err: errNoAccounts}}
	}
	got := j.cfg.Accounts.Provision(ctx, a)
	switch got.Disposition {
	case Done:
		return wire.NoticeAccountReady, pause{}
	case FixContact:
		return wire.NoticeContactNeeded, pause{}
	case FixDetail:
		j.log.Error("an account was refused for a detail that no counter can put right", "rec", j.e.rec.String(), "err", got.Err)
		return wire.NoticeAccountRefused, pause{}
	case Final:
		return wire.NoticeAccountRefused, pause{}
	case Retry, SlowDown:
		return "", pause{waitAccount, Delay{Wait: got.Wait, Err: got.Err}}
	}
	return "", pause{waitAccount, Delay{Wait: got.Wait, Alarm: true, Err: got.Err}}
}

// letter writes the letter of a patient who gave neither telephone nor e-mail,
// or wants letters.
func (j *job) letter(ctx context.Context) (pause, error) {
	f, wanted := letter.For(j.o.State, j.e.told)
	if !wanted || j.e.did(stepLetter) {
		return pause{}, nil
	}
	f.Ref, f.Postcode, f.At = j.e.Ref, postcode(j.o.State), route.Local(time.Now())
	pdf, err := letter.PDF(f)
	if err == nil {
		err = ledger.Replace(j.letterPath(), pdf)
	}
	if err != nil {
		return pause{}, fmt.Errorf("writing a letter: %w", err)
	}
	if err := j.tell(ctx, j.e, wire.NoticeLetterSent); err != nil {
		return pause{}, err
	}
	return pause{}, j.add(line{Rec: j.e.rec, Step: stepLetter})
}

// letterPath is where the letter of a case goes. References are short: where two
// cases share one, the later one's letter also names its counter.
func (j *job) letterPath() string {
	name := string(j.e.Ref)
	if first := j.book.refs[j.e.Ref][0]; first != j.e {
		name += "-" + filepath.Base(string(j.e.Agent)) + fmt.Sprintf("-%d", j.e.Index)
	}
	return filepath.Join(j.cfg.Dir, letterFolder, name+".pdf")
}
