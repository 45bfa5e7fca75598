// Package bureau is the opening zone as a whole: the opener, the casework behind
// it, the services outside, and the commands of counterproof-opener.
//
// It has no rules of its own: it joins parts. It is the one place that knows both
// the opener and the casework.
//
// # The laws
//
//   - Simulated services work under a training enrolment alone.
//   - A record that only a missing key or a newer program keeps shut is no case: it
//     comes again when the log is begun again.
//   - People decide beside a running opener, by leaving a decision in its folder.
package bureau

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/counterproof/counterproof/agent/casework"
	"github.com/counterproof/counterproof/agent/opener"
	"github.com/counterproof/counterproof/agent/outside"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/source"
)

// caseFolder is where the casework is, in the opener's folder.
const caseFolder = "casework"

// Folder is the casework's folder in an opener's.
func Folder(data string) string { return filepath.Join(data, caseFolder) }

// Services says with whom the casework speaks.
type Services struct {
	File     string // the configuration of package outside
	Simulate bool   // all services in this process, for training
}

// None reports that there is nobody to speak with, and so no casework.
func (s Services) None() bool { return s.File == "" && !s.Simulate }

// errNoTraining is why services are not simulated.
var errNoTraining = errors.New("simulated services are for an opener that is enrolled for training")

// Worker opens the casework of an opener, with these services. It is for
// Opener.Use.
func (s Services) Worker(o *opener.Opener, log *slog.Logger) (opener.Worker, error) {
	w, err := s.casework(o, log)
	if err != nil {
		return nil, err
	}
	return worker{w}, nil
}

// casework opens the casework in the opener's folder.
func (s Services) casework(o *opener.Opener, log *slog.Logger) (*casework.Worker, error) {
	services, sites, err := s.services(o, log)
	if err != nil {
		return nil, err
	}
	return casework.Open(casework.Config{
		Dir: Folder(o.Folder()), Archive: archive{o}, Teller: o, Services: services, Sites: sites, Log: log,
	})
}

// services makes the services, with the organisations that sites act for.
func (s Services) services(o *opener.Opener, log *slog.Logger) (casework.Services, map[string]string, error) {
	if s.Simulate {
		training, err := o.Training()
		if err == nil && !training {
			err = errNoTraining
		}
		if err != nil {
			return casework.Services{}, nil, err
		}
		w, err := outside.Simulate(source.Table{}, log)
		if err != nil {
			return casework.Services{}, nil, err
		}
		return w.Services, nil, nil
	}
	cfg, err := outside.ReadConfig(s.File)
	if err != nil {
		return casework.Services{}, nil, err
	}
	services, err := outside.Open(cfg, log)
	return services, cfg.Sites, err
}

// worker takes opened records as cases.
type worker struct{ *casework.Worker }

// Take keeps that there is a case, if the record is one.
func (w worker) Take(_ context.Context, r opener.Result) error {
	o, is := opened(r)
	if !is {
		return nil
	}
	return w.Worker.Take(o)
}

// archive fetches records again, by the opener.
type archive struct{ *opener.Opener }

// Reopen fetches the record at a place in the log and opens it.
func (a archive) Reopen(ctx context.Context, index uint64) (casework.Opened, error) {
	r, err := a.Opener.Reopen(ctx, index)
	if err != nil {
		return casework.Opened{}, err
	}
	o, is := opened(r)
	if !is {
		return casework.Opened{}, fmt.Errorf("the record does not open any more: %s", r.Kind)
	}
	return o, nil
}

// opened is a result as a case; false where the record may open another time. A
// record that is damaged for good, or holds another one's visit, is a case: the
// patient must be asked back.
func opened(r opener.Result) (casework.Opened, bool) {
	o := casework.Opened{Agent: r.Agent, Ref: r.Ref, Rec: r.RecHash, Index: r.LogIndex}
	if r.Kind == opener.KindDamaged || r.Kind == opener.KindOtherVisit {
		o.Damaged = true
		return o, o.Ref != ""
	}
	v, is := r.Visit()
	if !is {
		return o, false
	}
	o.State = route.Fold(v.Events)
	for _, f := range r.Findings {
		o.Findings = append(o.Findings, proof.Code(f))
	}
	if !r.Agrees && len(o.Findings) == 0 {
		o.Findings = append(o.Findings, proof.Code(opener.RescoredDifferently))
	}
	return o, true
}
