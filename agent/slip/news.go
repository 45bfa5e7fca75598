package slip

import (
	"time"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// News are the facts of a second slip: what has become of an earlier visit. It
// names nobody and no NHS number.
type News struct {
	Kind     wire.NoticeKind
	Ref      proof.Ref
	Site     string    // where it is printed
	At       time.Time // when it was decided, in local time
	Language string    // BCP 47
	Training bool
}

// Tell writes the second slip. A kind that this version does not know is told
// as news for the helpdesk.
func Tell(n News) []Line {
	w := wordsOf(n.Language)
	b := builder{}
	b.add(Head, w.newsTitle)
	if n.Training {
		b.add(Head, w.training)
	}
	b.line(Rule)
	b.add(Plain, w.newsOf)
	b.add(Big, string(n.Ref))
	b.line(Space)
	b.wrap(w.tell(n.Kind))
	b.wrap(w.keep)
	b.line(Rule)
	b.wrap(w.site + " " + n.Site)
	b.wrap(w.date + " " + n.At.Format("02/01/2006 15:04"))
	return b.lines
}

// tell is the sentence of a kind of news.
func (w words) tell(k wire.NoticeKind) string {
	if text, ok := w.news[k]; ok {
		return text
	}
	return w.newsOther
}

// englishNews and welshNews say every kind of news to the patient, with what to
// do next; a test counts them.
var englishNews = map[wire.NoticeKind]string{
	wire.NoticeFinalRaised:     "The central checks are done. Your identity is proved to a higher level than at the counter. You need do nothing.",
	wire.NoticeFinalKept:       "The central checks are done. The level that you were given at the counter is final. You need do nothing.",
	wire.NoticeFinalLowered:    "The central checks are done. They came to a lower level than at the counter. You can bring another document to any counter.",
	wire.NoticeNHSP9:           "You have been checked for full NHS access (level P9). You need do nothing.",
	wire.NoticeNHSP5:           "You have been checked for NHS contact services (level P5). For your health record, bring more evidence to any counter.",
	wire.NoticeNHSP0:           "Your contact details are confirmed (level P0). For more, bring evidence to any counter.",
	wire.NoticeNHSNone:         "We could not match your details. Please check them with your GP practice, then come back.",
	wire.NoticeDetailsPending:  "Your GP practice's system has not answered yet. We keep asking.",
	wire.NoticeDetailsAccepted: "Your GP practice's details were accepted. You need do nothing.",
	wire.NoticeDetailsRefused:  "Your GP practice's details were not accepted. Please ask the practice for a new letter.",
	wire.NoticeReviewOpen:      "Our team is looking at your check. You need do nothing now.",
	wire.NoticeReviewPassed:    "Our team has looked at your check: it holds. You need do nothing.",
	wire.NoticeReviewFailed:    "Our team could not complete your check. You can come back with other evidence.",
	wire.NoticeProxySubmitted:  "The request for somebody to act for you, or for you to act, was passed on. You will hear.",
	wire.NoticeProxyGranted:    "The request to act for somebody was granted.",
	wire.NoticeProxyRefused:    "The request to act for somebody was not granted. The GP practice can tell you why.",
	wire.NoticeProxyWithdrawn:  "Access to act for somebody was taken back.",
	wire.NoticeProxySuspended:  "Access to act for somebody is paused, because it must be looked at again. Please ask the GP practice.",
	wire.NoticeProxyEnded:      "Access to act for somebody has ended.",
	wire.NoticeLetterSent:      "A letter with the outcome is on its way to you.",
	wire.NoticeMoreNeeded:      "More evidence is needed. Bring it to any counter, with this reference.",
	wire.NoticeVouchWithdrawn:  "Somebody who vouched took it back. You can bring other evidence to any counter.",
	wire.NoticeJoined:          "Your visits were joined: what you brought counts together.",
	wire.NoticeNotJoined:       "Your visits could not be joined. Please ask at the counter.",
	wire.NoticeClaimReady:      "Your claim code can be used at any counter.",
	wire.NoticeClaimUsed:       "Your claim code was used. It cannot be used again.",
	wire.NoticeClaimRefused:    "The claim code was not accepted. Please ask the helpdesk, with this reference.",
	wire.NoticeAccountReady:    "Your NHS login is prepared. Look for an e-mail with a link.",
	wire.NoticeAccountRefused:  "No NHS login can be prepared. Please ask the helpdesk, with this reference.",
	wire.NoticeContactNeeded:   "Another e-mail address or mobile number is needed. Please come to any counter.",
	wire.NoticeWishesApplied:   "Your wishes were passed on.",
	wire.NoticeWishesRefused:   "Your wishes could not be passed on at this level.",
	wire.NoticeRecall:          "Something went wrong with your record. Please come back to the counter: we are sorry.",
}

var welshNews = map[wire.NoticeKind]string{
	wire.NoticeFinalRaised:     "Mae'r gwiriadau canolog wedi'u gwneud. Profwyd eich hunaniaeth i lefel uwch nag wrth y cownter. Nid oes angen gwneud dim.",
	wire.NoticeFinalKept:       "Mae'r gwiriadau canolog wedi'u gwneud. Mae'r lefel a gawsoch wrth y cownter yn derfynol. Nid oes angen gwneud dim.",
	wire.NoticeFinalLowered:    "Mae'r gwiriadau canolog wedi'u gwneud. Daethant i lefel is nag wrth y cownter. Gallwch ddod â dogfen arall i unrhyw gownter.",
	wire.NoticeNHSP9:           "Fe'ch gwiriwyd ar gyfer mynediad llawn i'r GIG (lefel P9). Nid oes angen gwneud dim.",
	wire.NoticeNHSP5:           "Fe'ch gwiriwyd ar gyfer gwasanaethau cyswllt y GIG (lefel P5). I weld eich cofnod iechyd, dewch â rhagor o dystiolaeth i unrhyw gownter.",
	wire.NoticeNHSP0:           "Cadarnhawyd eich manylion cyswllt (lefel P0). Am ragor, dewch â thystiolaeth i unrhyw gownter.",
	wire.NoticeNHSNone:         "Ni allem baru eich manylion. Gwiriwch nhw gyda'ch meddygfa, yna dewch yn ôl.",
	wire.NoticeDetailsPending:  "Nid yw system eich meddygfa wedi ateb eto. Rydym yn dal i ofyn.",
	wire.NoticeDetailsAccepted: "Derbyniwyd manylion eich meddygfa. Nid oes angen gwneud dim.",
	wire.NoticeDetailsRefused:  "Ni dderbyniwyd manylion eich meddygfa. Gofynnwch i'r feddygfa am lythyr newydd.",
	wire.NoticeReviewOpen:      "Mae ein tîm yn edrych ar eich gwiriad. Nid oes angen gwneud dim nawr.",
	wire.NoticeReviewPassed:    "Mae ein tîm wedi edrych ar eich gwiriad: mae'n sefyll. Nid oes angen gwneud dim.",
	wire.NoticeReviewFailed:    "Ni allai ein tîm gwblhau eich gwiriad. Gallwch ddod yn ôl gyda thystiolaeth arall.",
	wire.NoticeProxySubmitted:  "Anfonwyd y cais i rywun weithredu drosoch, neu i chi weithredu, ymlaen. Cewch glywed.",
	wire.NoticeProxyGranted:    "Caniatawyd y cais i weithredu dros rywun.",
	wire.NoticeProxyRefused:    "Ni chaniatawyd y cais i weithredu dros rywun. Gall y feddygfa ddweud pam.",
	wire.NoticeProxyWithdrawn:  "Tynnwyd mynediad i weithredu dros rywun yn ôl.",
	wire.NoticeProxySuspended:  "Mae mynediad i weithredu dros rywun wedi'i oedi, am fod rhaid edrych arno eto. Gofynnwch i'r feddygfa.",
	wire.NoticeProxyEnded:      "Daeth mynediad i weithredu dros rywun i ben.",
	wire.NoticeLetterSent:      "Mae llythyr gyda'r canlyniad ar ei ffordd atoch.",
	wire.NoticeMoreNeeded:      "Mae angen rhagor o dystiolaeth. Dewch â hi i unrhyw gownter, gyda'r cyfeirnod hwn.",
	wire.NoticeVouchWithdrawn:  "Tynnodd rhywun a oedd yn eich adnabod ei air yn ôl. Gallwch ddod â thystiolaeth arall i unrhyw gownter.",
	wire.NoticeJoined:          "Cysylltwyd eich ymweliadau: mae'r hyn a ddaethoch yn cyfrif gyda'i gilydd.",
	wire.NoticeNotJoined:       "Ni ellid cysylltu eich ymweliadau. Holwch wrth y cownter.",
	wire.NoticeClaimReady:      "Gellir defnyddio eich cod hawlio wrth unrhyw gownter.",
	wire.NoticeClaimUsed:       "Defnyddiwyd eich cod hawlio. Ni ellir ei ddefnyddio eto.",
	wire.NoticeClaimRefused:    "Ni dderbyniwyd y cod hawlio. Holwch y ddesg gymorth, gyda'r cyfeirnod hwn.",
	wire.NoticeAccountReady:    "Mae eich NHS login wedi'i baratoi. Chwiliwch am e-bost gyda dolen.",
	wire.NoticeAccountRefused:  "Ni ellir paratoi NHS login. Holwch y ddesg gymorth, gyda'r cyfeirnod hwn.",
	wire.NoticeContactNeeded:   "Mae angen cyfeiriad e-bost neu rif symudol arall. Dewch i unrhyw gownter.",
	wire.NoticeWishesApplied:   "Anfonwyd eich dymuniadau ymlaen.",
	wire.NoticeWishesRefused:   "Ni ellid anfon eich dymuniadau ymlaen ar y lefel hon.",
	wire.NoticeRecall:          "Aeth rhywbeth o'i le gyda'ch cofnod. Dewch yn ôl i'r cownter: mae'n ddrwg gennym.",
}
