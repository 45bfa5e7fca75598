package source

import (
	"context"
	"crypto/subtle"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Names of what a Simulator simulates, for its knobs.
const (
	SimRegister = "register" // fraud, activity and documents
	SimSecond   = "second"   // fraud alone, of another house
	SimPractice = "practice" // the practices' system
	SimContacts = "contacts" // who confirms contact details
	SimWishes   = "wishes"   // who takes wishes
)

// Simulator is sources, practices and the rest of the outside world on one's own
// machine, for demonstrations, training and tests. It answers from its table by
// the rules of the real ones, never from a script. Its methods may be called at
// the same time.
type Simulator struct {
	table Table

	mu     sync.Mutex
	down   map[string]bool
	slow   time.Duration
	asked  int
	wishes []nhs.Number
}

// NewSimulator makes a world of a table; the built-in one if it is empty.
func NewSimulator(t Table) (*Simulator, error) {
	if len(t.People)+len(t.Documents)+len(t.Letters) == 0 {
		var err error
		if t, err = BuiltIn(); err != nil {
			return nil, err
		}
	}
	return &Simulator{table: t, down: map[string]bool{}}, t.check()
}

// Table is the simulator's world.
func (s *Simulator) Table() Table { return s.table }

// SetDown makes a part answer nothing, or stops that.
func (s *Simulator) SetDown(part string, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[part] = down
}

// SetSlow makes every answer wait.
func (s *Simulator) SetSlow(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = wait
}

// Asked counts the questions so far.
func (s *Simulator) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Wishes are the NHS numbers whose wishes were taken, in order.
func (s *Simulator) Wishes() []nhs.Number {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wishes)
}

// up waits as SetSlow says and reports whether a part answers.
func (s *Simulator) up(ctx context.Context, part string) bool {
	s.mu.Lock()
	down, slow := s.down[part], s.slow
	s.asked++
	s.mu.Unlock()
	if slow > 0 {
		late := time.NewTimer(slow)
		defer late.Stop()
		select {
		case <-late.C:
		case <-ctx.Done():
		}
	}
	return !down && ctx.Err() == nil
}

// Sources are the simulated sources.
func (s *Simulator) Sources() []Source {
	fraud := []Check{IdentityTheft, Impersonation, Mortality, Synthetic, Applicable, Available}
	return []Source{
		simulated{s, About{SimRegister, true, slices.Concat(OfPerson(), OfDocument())}},
		simulated{s, About{SimSecond, true, fraud}},
	}
}

// simulated is one source of a simulator.
type simulated struct {
	world *Simulator
	about About
}

// About tells what the source is.
func (s simulated) About() About { return s.about }

// Ask answers from the table.
func (s simulated) Ask(ctx context.Context, q Question) Answer {
	if !s.world.up(ctx, s.about.Name) {
		return Answer{Verdict: Down}
	}
	if slices.Contains(OfDocument(), q.Check) {
		return verdict(s.world.table.ofDocument(q))
	}
	p, known := s.world.table.find(q.Person)
	switch q.Check {
	case Applicable, Available:
		return verdict(!p.Nowhere)
	case Activity:
		a := verdict(known && p.Since != "")
		if a.Verdict == Hit {
			a.Since, a.Keeping = dayOf(p.Since), p.Keeping
		}
		return a
	}
	return verdict(slices.Contains(p.Lists, q.Check))
}

// verdict is a plain answer.
func verdict(hit bool) Answer {
	if hit {
		return Answer{Verdict: Hit}
	}
	return Answer{Verdict: Miss}
}

// ofDocument answers a check about a document.
func (t Table) ofDocument(q Question) bool {
	i := slices.IndexFunc(t.Documents, func(d Issued) bool {
		return d.Type == q.Document.Type && strings.EqualFold(d.Issuer, q.Document.Issuer) && plain(d.Number) == plain(q.Document.Number)
	})
	if i < 0 {
		return false
	}
	d := t.Documents[i]
	switch q.Check {
	case Cancelled:
		return d.State == stateCancelled
	case LostStolen:
		return d.State == stateLost
	}
	return same(q.Person.Surname, d.Surname) && d.Birth == q.Person.Birth.String()
}

// plain is a number as letters and digits alone.
func plain(number string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToUpper(number))
}

// Practice is the simulated system of all practices.
func (s *Simulator) Practice() Practice { return practice{s} }

type practice struct{ world *Simulator }

// Verify answers from the table. Practice, account, key, surname and birth date
// must all be right; which of them is not, it does not say.
func (p practice) Verify(ctx context.Context, d Details) Verified {
	if !p.world.up(ctx, SimPractice) {
		return Verified{Acceptance: Silent}
	}
	for _, l := range p.world.table.Letters {
		right := []bool{
			strings.EqualFold(l.ODS, d.ODS), l.Account == d.Account, subtle.ConstantTimeCompare([]byte(l.Key), []byte(d.Key)) == 1,
			same(d.Person.Surname, l.Surname), l.Birth == d.Person.Birth.String(),
		}
		if !slices.Contains(right, false) {
			return Verified{Acceptance: Accepted, Number: nhs.Number(l.Number)}
		}
	}
	return Verified{Acceptance: Refused}
}

// unconfirmed is the host of e-mail addresses whose holder confirms nothing.
const unconfirmed = "@unconfirmed.example"

// Confirmed reports whether a person has confirmed an e-mail address and a
// mobile number, each by a code that was sent there; ok is false where nobody
// can tell now.
func (s *Simulator) Confirmed(ctx context.Context, email, mobile string) (confirmed, ok bool) {
	if !s.up(ctx, SimContacts) {
		return false, false
	}
	return email != "" && mobile != "" && !strings.HasSuffix(email, unconfirmed), true
}

// PassOn takes a patient's wishes; ok is false where nobody takes them now.
func (s *Simulator) PassOn(ctx context.Context, number nhs.Number, _ proof.PreferencesGiven) (ok bool) {
	if !s.up(ctx, SimWishes) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wishes = append(s.wishes, number)
	return true
}
