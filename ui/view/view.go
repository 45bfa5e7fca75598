// Package view decides what the clerk's window shows: it turns what the daemon
// said, and what the clerk is doing, into structs of plain words that a screen
// only has to lay out. What is typed belongs to package form.
//
// It draws nothing, asks nothing and knows no clock: the moment comes in.
//
// # The laws
//
//   - The screen is a function of State alone, so a window that was closed and
//     opened again shows the same.
//   - Every screen has a way on: an action, or a sentence that says what to wait
//     for. No problem is shown without its next step.
//   - What is asked of the patient stands in the patient's language, what is
//     said to the clerk in the clerk's.
//   - A concern can be passed on from every screen of a visit by the same key,
//     and nothing on any screen ever tells whether it was.
package view

import (
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/words"
)

// Side is a screen that the clerk opened beside the visit.
type Side string

// The side screens.
const (
	NoSide       Side = ""
	SideUnlock   Side = "unlock"
	SideQueue    Side = "queue"
	SideHandOver Side = "hand_over"
	SideAbandon  Side = "abandon"
	SideNotices  Side = "notices"
	SideAllKinds Side = "all_kinds" // of evidence, also the rare ones
	SideCode     Side = "code"      // a one-time code sets a secret
	SideFirst    Side = "first"     // a supervisor's account by the code of a rescue
	SideClerks   Side = "clerks"
	SideClerk    Side = "clerk" // role and training of one
	SideAddClerk Side = "add_clerk"
	SideAccount  Side = "account" // the own
	SideSecret   Side = "secret"  // the own
	SideActivity Side = "activity"
	SideDoctor   Side = "doctor" // how the devices stand; open to everybody
)

// State is all that the window knows.
type State struct {
	Words words.Words // the clerk's language
	Now   time.Time

	Status  *api.Status // nil before the first answer
	Away    bool        // the daemon does not answer
	Session *api.Session
	Visit   *api.Visit
	Queue   *api.QueueList
	Notices []api.Notice       // news of earlier visits, unseen first
	Chosen  proof.EvidenceType // what the clerk chose last in this visit, "" where this window does not know

	Clerks   []api.Account    // every account, for a supervisor
	Clerk    proof.OperatorID // whose account is changed
	Issued   *api.Issued      // a one-time code that is shown once
	Activity *api.Activity    // who did what, nil before it is read
	Since    time.Time        // from when Activity is
	Days     int              // how many days back that is

	Doctor *api.Checkup     // nil before it is read
	Trying *api.Trial       // the trial that runs
	Tried  *api.TrialResult // what the last one came to
	Meter  string           // role of the camera whose light is measured, "" for none
	Light  *api.Light       // the last figures, nil before any

	Side      Side
	Problem   proof.Kind // of the last request
	Until     time.Time  // when trying it again makes sense
	Hint      form.Hint  // about what was typed
	Said      string     // key of good news
	Busy      bool
	Capturing proof.AskKind // the capture that runs
	Guidance  *proof.Kind   // the last guidance, nil before any
	Percent   int           // of the chip that is being read
}

// Verb is what the clerk wants done.
type Verb string

// The verbs. Their details stand in the Intent and in the Form.
const (
	Nothing    Verb = ""
	DoSignIn   Verb = "sign_in"
	DoFirst    Verb = "first_clerk"
	DoUnlock   Verb = "unlock"
	DoSignOut  Verb = "sign_out"
	DoStart    Verb = "start"
	DoAnswer   Verb = "answer"
	DoSecond   Verb = "second"
	DoNotice   Verb = "notice"
	DoLook     Verb = "look" // for news at the centre
	DoHandOver Verb = "hand_over"
	DoOpen     Verb = "open"  // a side screen
	DoClose    Verb = "close" // the side screen
	DoReload   Verb = "reload"
	DoCode     Verb = "code"      // sign in with a one-time code
	DoClerk    Verb = "clerk"     // something with the chosen account
	DoAddClerk Verb = "add_clerk" // make an account
	DoSecret   Verb = "secret"    // change the own secret
	DoActivity Verb = "activity"  // read who did what
	DoReport   Verb = "report"    // print it
	DoTry      Verb = "try"       // a device, or which reader it is
	DoLight    Verb = "light"     // measure the light before a camera, or no more
	DoFindings Verb = "findings"  // print what the doctor found
)

// Intent is what an action asks for.
type Intent struct {
	Verb   Verb
	Side   Side            // for DoOpen
	Route  proof.RouteName // for DoStart
	Print  bool            // for DoNotice: the second slip too
	Clerk  api.ClerkDoing  // for DoClerk
	Days   int             // for DoActivity and DoReport
	Trial  api.Trial       // for DoTry
	Role   string          // for DoLight; "" ends it
	Answer api.Answer      // for DoAnswer; completed by form.Answer
}

// Style says how an action looks; its words say what it does.
type Style int

// The styles: the recommended action, another one, and one that ends something.
const (
	Secondary Style = iota
	Primary
	Warning
)

// Action is a button.
type Action struct {
	Label  string
	Intent Intent
	Style  Style
}

// Tone is the kind of a banner; its title always says it in words too.
type Tone int

// The tones.
const (
	Info Tone = iota
	Good
	Bad
)

// Banner is something that must be seen.
type Banner struct {
	Tone  Tone
	Title string
	Texts []string
}

// Line is a label and a value.
type Line struct {
	Label, Value string
}

// Picture is a picture to fetch; without an ID there is none.
type Picture struct {
	ID    proof.PictureID
	Label string
	Empty string // what stands where there is no picture
}

// Frame is what all screens have.
type Frame struct {
	Name    string // of the screen, the same in all languages
	Title   string
	Banners []Banner
	Lead    []string
	Actions []Action
	Escape  Intent // what the escape key does
	Concern Intent // what F9 does
}

// Base gives the frame.
func (f Frame) Base() Frame { return f }

// Screen is one of the screens of this package.
type Screen interface{ Base() Frame }

// Head is the strip above every screen.
type Head struct {
	Training string // "" outside training
	Site     string
	Clerk    string
	Queue    string
	News     string // "" when there is none unseen
	Shift    string // "" until the session is about to end
	Working  string // "" when nothing is under way
	Keys     string
	Switch   string // the button that changes the language
}

// Heading makes the head.
func Heading(s State) Head {
	w := s.Words
	h := Head{Keys: w.Say("head.keys"), Switch: w.Say("language.switch")}
	if s.Busy && s.Capturing == "" {
		h.Working = w.Say("word.working")
	}
	if s.Session != nil {
		h.Clerk = w.Say("head.clerk", "name", s.Session.Operator.Name)
	}
	h.Shift = shiftLine(s)
	if s.Status == nil {
		return h
	}
	if n := unseen(s.Notices); n > 0 && s.Session != nil {
		h.News = w.Say("head.news", "count", w.Count("news", n))
	}
	h.Site = w.Say("head.site", "site", s.Status.Site)
	h.Queue = QueueLine(w, s.Status.Queue, s.Now)
	if s.Status.Training || s.Visit != nil && s.Visit.Training {
		h.Training = w.Say("head.training")
	}
	return h
}

// Show decides which screen stands and what it says.
func Show(s State) Screen {
	switch {
	case s.Away:
		return away(s)
	case s.Status == nil:
		return Notice{Frame{Name: "starting", Title: s.Words.Say("starting.title"), Lead: []string{s.Words.Say("word.working")}}}
	case s.Side == SideDoctor:
		return doctor(s)
	case !s.Status.Enrolled:
		return notEnrolled(s)
	case s.Session == nil:
		return outside(s)
	}
	switch s.Side {
	case SideQueue:
		return queue(s)
	case SideHandOver:
		return handOver(s)
	case SideAbandon:
		return abandon(s)
	case SideNotices:
		return notices(s)
	}
	if screen := accountSide(s); screen != nil {
		return screen
	}
	if s.Visit == nil || s.Visit.Ended {
		return home(s)
	}
	if s.Visit.Operator != s.Session.Operator.ID {
		return takeOver(s)
	}
	return visit(s)
}

// outside is what stands while nobody is signed in.
func outside(s State) Screen {
	switch {
	case s.Status.NoClerks || s.Side == SideFirst:
		return first(s)
	case s.Side == SideUnlock:
		return unlock(s)
	case s.Side == SideCode:
		return codeSignIn(s)
	}
	return signIn(s)
}

// frame begins a screen, with the problem of the last request on top.
func frame(s State, name string) Frame {
	f := Frame{Name: name}
	w := s.Words
	if s.Said != "" {
		f.Banners = append(f.Banners, Banner{Good, w.Say("word.done"), []string{w.Say(s.Said)}})
	}
	if s.Hint.Key != "" {
		f.Banners = append(f.Banners, Banner{Bad, w.Say("word.problem"), []string{w.Say(s.Hint.Key)}})
	}
	if s.Problem != proof.KindNone {
		b := problem(w, s.Problem)
		if s.Problem == proof.KindLockedOut && s.Until.IsZero() {
			b.Texts = append(b.Texts, w.Say("word.supervisor"))
		}
		if !s.Until.IsZero() {
			b.Texts = append(b.Texts, w.Say("word.until", "time", w.Clock(s.Until)))
		}
		f.Banners = append(f.Banners, b)
	}
	return f
}

// problem is the banner of a Kind.
func problem(w words.Words, k proof.Kind) Banner {
	happened, next := w.Problem(k)
	return Banner{Bad, w.Say("word.problem"), []string{happened, w.Say("word.next", "next", next)}}
}

// act makes an action of a verb.
func act(label string, style Style, verb Verb) Action {
	return Action{label, Intent{Verb: verb}, style}
}

// open makes the action that opens a side screen.
func open(label string, side Side, style Style) Action {
	return Action{label, Intent{Verb: DoOpen, Side: side}, style}
}
