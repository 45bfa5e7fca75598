package view

import (
	"slices"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/words"
)

// Notice is a screen of a few sentences.
type Notice struct{ Frame }

// Sign is a screen of texts to type: signing in, the first clerk, unlocking,
// handing over.
type Sign struct {
	Frame
	Fields []form.Field
}

// Home is the screen between two visits.
type Home struct {
	Frame
	Language  form.Choice // of the patient
	Continues form.Field  // the slip that the patient brings back
	Devices   string      // heading
	Lines     []Line      // a device each
	Face      string      // whether a machine can compare faces
}

// Queue is a list of lines: the records, or who did what.
type Queue struct {
	Frame
	Items []string
}

// away is what stands while the daemon does not answer.
func away(s State) Screen {
	w := s.Words
	return Notice{Frame{
		Name: "away", Title: w.Say("away.title"), Lead: []string{w.Say("away.lead"), w.Say("away.next")},
		Actions: []Action{act(w.Say("act.retry"), Primary, DoReload)},
	}}
}

// notEnrolled is what stands on a counter without an enrolment.
func notEnrolled(s State) Screen {
	f := frame(s, "not_enrolled")
	f.Title = s.Words.Say("noenrol.title")
	f.Lead = problem(s.Words, proof.KindNotEnrolled).Texts
	f.Actions = []Action{act(s.Words.Say("act.retry"), Primary, DoReload), open(s.Words.Say("doctor.open"), SideDoctor, Secondary)}
	return Notice{f}
}

// signIn asks for a clerk's name and secret.
func signIn(s State) Screen {
	w, f := s.Words, frame(s, "sign_in")
	f.Title = w.Say("signin.title")
	if s.Status.OpenVisit != "" {
		f.Lead = []string{w.Say("signin.open")}
	}
	f.Actions = []Action{
		act(w.Say("signin.do"), Primary, DoSignIn), open(w.Say("signin.code"), SideCode, Secondary),
		open(w.Say("signin.unlock"), SideUnlock, Secondary), open(w.Say("signin.rescue"), SideFirst, Secondary),
		open(w.Say("doctor.open"), SideDoctor, Secondary),
	}
	return Sign{f, []form.Field{
		{Key: "operator", Label: w.Say("signin.operator")},
		{Key: "secret", Label: w.Say("signin.secret"), Secret: true},
	}}
}

// first makes the first clerk's account.
func first(s State) Screen {
	w, f := s.Words, frame(s, "first_clerk")
	f.Title, f.Lead = w.Say("first.title"), []string{w.Say("first.lead")}
	f.Actions = []Action{act(w.Say("first.do"), Primary, DoFirst)}
	if !s.Status.NoClerks {
		f.Title, f.Lead, f.Escape = w.Say("signin.rescue"), []string{w.Say("first.rescue")}, Intent{Verb: DoClose}
		f.Actions = append(f.Actions, back(w, f))
	}
	return Sign{f, []form.Field{
		{Key: "code", Label: w.Say("first.code")},
		{Key: "name", Label: w.Say("first.name")},
		{Key: "secret", Label: w.Say("first.secret"), Secret: true},
		{Key: "again", Label: w.Say("first.again"), Secret: true},
		{Key: "impostor", Label: w.Say("first.face")},
		{Key: "document", Label: w.Say("first.document")},
	}}
}

// unlock lets a supervisor unlock an account.
func unlock(s State) Screen {
	w, f := s.Words, frame(s, "unlock")
	f.Title, f.Lead = w.Say("unlock.title"), []string{w.Say("unlock.lead")}
	f.Actions = []Action{act(w.Say("unlock.do"), Primary, DoUnlock), act(w.Say("act.back"), Secondary, DoClose)}
	f.Escape = Intent{Verb: DoClose}
	return Sign{f, []form.Field{
		{Key: "locked", Label: w.Say("unlock.operator")},
		{Key: "operator", Label: w.Say("unlock.supervisor")},
		{Key: "secret", Label: w.Say("unlock.secret"), Secret: true},
	}}
}

// handOver lets a colleague take the visit.
func handOver(s State) Screen {
	w, f := s.Words, frame(s, "hand_over")
	f.Title, f.Lead = w.Say("handover.title"), []string{w.Say("handover.lead")}
	f.Actions = []Action{act(w.Say("handover.do"), Primary, DoHandOver), act(w.Say("act.back"), Secondary, DoClose)}
	f.Escape = Intent{Verb: DoClose}
	return Sign{f, []form.Field{
		{Key: "operator", Label: w.Say("handover.operator")},
		{Key: "secret", Label: w.Say("handover.secret"), Secret: true},
	}}
}

// takeOver lets the clerk who signed in take over a visit that another began:
// answers of anyone else are refused, and the patient must not be stranded.
func takeOver(s State) Screen {
	w, f := s.Words, frame(s, "take_over")
	f.Title, f.Lead = w.Say("takeover.title"), []string{w.Say("takeover.lead")}
	f.Actions = []Action{
		act(w.Say("takeover.do"), Primary, DoHandOver),
		open(w.Say("act.queue"), SideQueue, Secondary),
		open(w.Say("doctor.open"), SideDoctor, Secondary),
		act(w.Say("act.sign_out"), Secondary, DoSignOut),
	}
	return Sign{f, []form.Field{
		{Key: "operator", Label: w.Say("takeover.operator")},
		{Key: "secret", Label: w.Say("takeover.secret"), Secret: true},
	}}
}

// routes are the ways to begin a visit, in the order of their digits.
var routes = []proof.RouteName{
	proof.PhotoDocument, proof.DrivingLicence, proof.AnyEvidence, proof.Vouching, proof.PracticeDetails, proof.ProxyAccess,
	proof.ClaimAccount,
}

// home is ready for a visit.
func home(s State) Screen {
	w, f := s.Words, frame(s, "home")
	f.Title = w.Say("home.title")
	f.Lead = []string{QueueLine(w, s.Status.Queue, s.Now)}
	f.Banners = append(f.Banners, queueBanners(w, s.Status.Queue)...)
	for _, r := range routes {
		f.Actions = append(f.Actions, Action{w.Say("route." + string(r)), Intent{Verb: DoStart, Route: r}, Primary})
	}
	f.Actions = append(f.Actions,
		open(noticesLabel(s), SideNotices, Secondary),
		open(w.Say("act.queue"), SideQueue, Secondary),
		open(w.Say("doctor.open"), SideDoctor, Secondary),
		open(w.Say("act.account"), SideAccount, Secondary),
	)
	if s.Session.Operator.Role == proof.Supervisor {
		f.Actions = append(f.Actions, open(w.Say("act.clerks"), SideClerks, Secondary))
	}
	f.Actions = append(f.Actions, act(w.Say("act.sign_out"), Secondary, DoSignOut))
	h := Home{Frame: f, Devices: w.Say("home.devices"), Face: w.Say("home.face.no"), Lines: deviceLines(w, s.Status.Devices)}
	if s.Status.Face {
		h.Face = w.Say("home.face.yes")
	}
	if len(h.Lines) == 0 {
		h.Lines = []Line{{"", w.Say("home.nodevices")}}
	}
	slip := form.Field{Key: "continues", Label: w.Say("home.continues"), Note: w.Say("home.continues.note"), Mono: true}
	h.Continues = form.Question{Words: w, Problem: s.Problem}.Judged(slip)
	h.Language = form.Choice{Key: "language", Label: w.Say("home.language"), Preset: words.English}
	for _, tag := range words.Languages() {
		if offered := s.Status.Languages; len(offered) == 0 || slices.Contains(offered, tag) {
			h.Language.Options = append(h.Language.Options, form.Option{Key: tag, Label: words.In(tag).Say("language.name")})
		}
	}
	return h
}

// deviceLines says how each device stands.
func deviceLines(w words.Words, devices []api.Device) []Line {
	var lines []Line
	for _, d := range devices {
		state := w.Say("device.ready")
		if !d.Ready {
			happened, next := w.Problem(d.Problem)
			if d.Problem == proof.KindNone {
				happened, next = w.Problem(proof.KindDeviceMissing)
			}
			state = w.Say("device.not", "problem", happened+" "+next)
		}
		if d.Training {
			state += " (" + w.Say("device.training") + ")"
		}
		lines = append(lines, Line{w.Or("role", d.Role, "other"), state})
	}
	return lines
}

// QueueLine says in one line how the records stand: "3 waiting, oldest 2 h ·
// safe to switch off".
func QueueLine(w words.Words, q api.Queue, now time.Time) string {
	line := w.Say("queue.empty")
	if q.Waiting > 0 {
		line = w.Say("queue.line", "count", w.Count("waiting", q.Waiting), "age", w.Age(now.Sub(q.Oldest)))
	}
	if q.SafeOff {
		return line + " · " + w.Say("queue.safe")
	}
	return line + " · " + w.Say("queue.unsafe")
}

// queueBanners are the queue's alarms and the problem of the last try.
func queueBanners(w words.Words, q api.Queue) []Banner {
	var out []Banner
	if q.Alarms > 0 {
		b := problem(w, proof.KindCentreRefused)
		b.Texts = append([]string{w.Say("queue.alarms", "count", w.Count("records", q.Alarms))}, b.Texts...)
		out = append(out, b)
	}
	if q.Problem != proof.KindNone {
		b := problem(w, q.Problem)
		b.Tone, b.Title = Info, w.Say("word.important")
		out = append(out, b)
	}
	return out
}

// queue lists the records.
func queue(s State) Screen {
	w, f := s.Words, frame(s, "queue")
	q := s.Status.Queue
	f.Title = w.Say("queue.title")
	f.Lead = []string{w.Say("queue.lead"), QueueLine(w, q, s.Now), w.Say("queue.sent", "n", strconv.Itoa(q.Acked))}
	if !q.LastSent.IsZero() {
		f.Lead = append(f.Lead, w.Say("queue.last", "time", w.Moment(q.LastSent)))
	}
	f.Banners = append(f.Banners, queueBanners(w, q)...)
	f.Actions = []Action{act(w.Say("act.back"), Primary, DoClose)}
	f.Escape = Intent{Verb: DoClose}
	v := Queue{Frame: f}
	if s.Queue == nil {
		return v
	}
	for _, i := range s.Queue.Items {
		v.Items = append(v.Items, queueItem(w, i))
	}
	if len(v.Items) == 0 {
		v.Items = []string{w.Say("queue.none")}
	}
	return v
}

// queueItem says one record in a line.
func queueItem(w words.Words, i api.QueueItem) string {
	line := w.Say("queue.item", "ref", string(i.Ref), "time", w.Moment(i.At), "state", w.Or("state", i.State, "other"), "size", w.Size(i.Size))
	if i.Attempts > 0 {
		line += " · " + w.Say("queue.tries", "tries", w.Count("tries", i.Attempts))
	}
	if !i.NextTry.IsZero() {
		line += " · " + w.Say("queue.next", "time", w.Clock(i.NextTry))
	}
	return line
}
