package slip

import (
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// Deeds are the facts of a printed record of who did what. Clerks are named by
// their accounts; nothing tells who a patient is.
type Deeds struct {
	About    proof.OperatorID // whose record, "" everybody's
	From, At time.Time        // since when, and when it is printed, in local time
	Site     string
	Language string // BCP 47
	Training bool
	Record   api.Activity
	Local    func(time.Time) time.Time // the time of a line as people here read it
}

// Report writes the record: a line with the time and who, then what.
func Report(d Deeds) []Line {
	w := wordsOf(d.Language)
	b := builder{}
	b.add(Head, w.deedsTitle)
	if d.Training {
		b.add(Head, w.training)
	}
	about := string(d.About)
	if about == "" {
		about = w.everybody
	}
	b.wrap(about)
	b.wrap(w.since + " " + d.From.Format("02/01/2006 15:04"))
	if d.Record.Problem != proof.KindNone {
		b.wrap(w.damaged)
	}
	b.line(Rule)
	for _, deed := range d.Record.Deeds {
		b.wrap(d.Local(deed.At).Format("02/01 15:04") + " " + string(deed.Who))
		b.wrap("  " + w.deed(deed))
	}
	if d.Record.More {
		b.wrap(w.more)
	}
	b.line(Rule)
	b.wrap(w.site + " " + d.Site)
	b.wrap(w.date + " " + d.At.Format("02/01/2006 15:04"))
	return b.lines
}

// deed says what was done, with whom and at which visit.
func (w words) deed(d api.Deed) string {
	said := w.deeds[d.Did]
	if said == "" {
		said = strings.ReplaceAll(string(d.Did), "_", " ")
	}
	if d.Whom != "" {
		said += ": " + string(d.Whom)
	}
	if d.Role != "" {
		said += ", " + string(d.Role)
	}
	if t := d.Training; t != nil {
		said += ", " + day(t.Impostor) + " / " + day(t.Document) + " / " + day(t.UVIR)
	}
	switch {
	case d.Ref != "":
		said += ", " + string(d.Ref)
	case d.Case != "":
		said += ", " + w.visit + " " + string(d.Case)
	}
	return said
}

// day is a day of training, a dash for never.
func day(d proof.Date) string {
	if d == (proof.Date{}) {
		return "-"
	}
	return d.String()
}

// englishDeeds and welshDeeds say everything that is recorded; a test counts them.
var englishDeeds = map[api.DeedKind]string{
	api.DidSignIn: "signed in", api.DidFail: "somebody failed to sign in", api.DidSignOut: "signed out",
	api.DidIdle: "was signed out after a pause", api.DidShift: "was signed out after 12 hours", api.DidClosed: "had a session ended",
	api.DidUnlock: "unlocked an account", api.DidFirst: "made a supervisor's account with a code", api.DidAdd: "made an account",
	api.DidDisable: "switched an account off", api.DidEnable: "switched an account on", api.DidReset: "issued a one-time code",
	api.DidSetSecret: "set a PIN with a one-time code", api.DidNewSecret: "changed the own PIN", api.DidChange: "changed role or training",
	api.DidBegin: "began a visit", api.DidContinue: "went on with an earlier visit", api.DidHandOver: "handed a visit over",
	api.DidConfirm: "confirmed as second person", api.DidDeny: "did not confirm as second person", api.DidEnd: "ended a visit",
	api.DidSeeNews: "marked news as seen", api.DidPrintNews: "printed news", api.DidPrintSlip: "printed a slip",
	api.DidPrintDeeds: "printed this record",
}

var welshDeeds = map[api.DeedKind]string{
	api.DidSignIn: "mewngofnodi", api.DidFail: "methodd rhywun â mewngofnodi", api.DidSignOut: "allgofnodi",
	api.DidIdle: "allgofnodwyd ar ôl saib", api.DidShift: "allgofnodwyd ar ôl 12 awr", api.DidClosed: "daeth sesiwn i ben",
	api.DidUnlock: "datgloi cyfrif", api.DidFirst: "creu cyfrif goruchwyliwr â chod", api.DidAdd: "creu cyfrif",
	api.DidDisable: "diffodd cyfrif", api.DidEnable: "troi cyfrif ymlaen", api.DidReset: "rhoi cod untro",
	api.DidSetSecret: "gosod PIN â chod untro", api.DidNewSecret: "newid ei PIN ei hun", api.DidChange: "newid rôl neu hyfforddiant",
	api.DidBegin: "dechrau ymweliad", api.DidContinue: "parhau ag ymweliad blaenorol", api.DidHandOver: "trosglwyddo ymweliad",
	api.DidConfirm: "cadarnhau fel ail berson", api.DidDeny: "peidio â chadarnhau fel ail berson", api.DidEnd: "gorffen ymweliad",
	api.DidSeeNews: "nodi bod newyddion wedi'u gweld", api.DidPrintNews: "argraffu newyddion", api.DidPrintSlip: "argraffu slip",
	api.DidPrintDeeds: "argraffu'r cofnod hwn",
}
