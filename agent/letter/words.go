package letter

import "github.com/counterproof/counterproof/sync/wire"

// words is the catalogue of one language. Every language has every text; a test
// counts them.
type words struct {
	title, training, reference, close string
	// news says what a letter tells. What only a counter or a mailbox can act on
	// is not told by letter.
	news map[wire.NoticeKind]string
}

var english = words{
	title:     "Your identity check",
	training:  "TRAINING ONLY",
	reference: "Your reference:",
	close:     "You can ask at any counter, with this letter or the reference. You need not say what it is about.",
	news: map[wire.NoticeKind]string{
		wire.NoticeFinalRaised:     "The central checks are done. Your identity is proved to a higher level than at the counter.",
		wire.NoticeFinalKept:       "The central checks are done. The level that you were given at the counter is final.",
		wire.NoticeFinalLowered:    "The central checks are done. They came to a lower level than at the counter.",
		wire.NoticeNHSP9:           "You have been checked for full NHS access (level P9).",
		wire.NoticeNHSP5:           "You have been checked for NHS contact services (level P5).",
		wire.NoticeNHSP0:           "Your contact details are confirmed (level P0).",
		wire.NoticeNHSNone:         "We could not match your details. Please check them with your GP practice, then come back to any counter.",
		wire.NoticeDetailsAccepted: "The details from your GP practice were accepted.",
		wire.NoticeDetailsRefused:  "The details from your GP practice were not accepted. Please ask the practice for a new letter.",
		wire.NoticeReviewPassed:    "Our team has looked at your check: it holds.",
		wire.NoticeReviewFailed:    "Our team could not complete your check. You can come back with other evidence.",
		wire.NoticeProxySubmitted:  "The request for somebody to act for you, or for you to act, was passed on. You will hear.",
		wire.NoticeProxyGranted:    "The request to act for somebody was granted.",
		wire.NoticeProxyRefused:    "The request to act for somebody was not granted. Your GP practice can tell you why.",
		wire.NoticeProxyWithdrawn:  "Access to act for somebody was taken back.",
		wire.NoticeMoreNeeded:      "More evidence is needed. You can bring it to any counter, with this reference.",
		wire.NoticeVouchWithdrawn:  "Somebody who vouched took it back. You can bring other evidence to any counter.",
		wire.NoticeJoined:          "Your visits were joined: what you brought counts together.",
		wire.NoticeNotJoined:       "Your visits could not be joined. Please ask at any counter.",
		wire.NoticeClaimReady:      "The claim code on your slip can be used at any counter, once you have an e-mail address and a mobile number.",
		wire.NoticeWishesApplied:   "Your wishes were passed on.",
		wire.NoticeWishesRefused:   "Your wishes could not be passed on at this level.",
	},
}

var welsh = words{
	title:     "Gwirio eich hunaniaeth",
	training:  "HYFFORDDIANT YN UNIG",
	reference: "Eich cyfeirnod:",
	close:     "Gallwch holi wrth unrhyw gownter, gyda'r llythyr hwn neu'r cyfeirnod. Nid oes rhaid dweud beth yw'r mater.",
	news: map[wire.NoticeKind]string{
		wire.NoticeFinalRaised:     "Mae'r gwiriadau canolog wedi'u gwneud. Profwyd eich hunaniaeth i lefel uwch nag wrth y cownter.",
		wire.NoticeFinalKept:       "Mae'r gwiriadau canolog wedi'u gwneud. Mae'r lefel a gawsoch wrth y cownter yn derfynol.",
		wire.NoticeFinalLowered:    "Mae'r gwiriadau canolog wedi'u gwneud. Daethant i lefel is nag wrth y cownter.",
		wire.NoticeNHSP9:           "Fe'ch gwiriwyd ar gyfer mynediad llawn i'r GIG (lefel P9).",
		wire.NoticeNHSP5:           "Fe'ch gwiriwyd ar gyfer gwasanaethau cyswllt y GIG (lefel P5).",
		wire.NoticeNHSP0:           "Cadarnhawyd eich manylion cyswllt (lefel P0).",
		wire.NoticeNHSNone:         "Ni allem baru eich manylion. Gwiriwch nhw gyda'ch meddygfa, yna dewch yn ôl i unrhyw gownter.",
		wire.NoticeDetailsAccepted: "Derbyniwyd y manylion gan eich meddygfa.",
		wire.NoticeDetailsRefused:  "Ni dderbyniwyd y manylion gan eich meddygfa. Gofynnwch i'r feddygfa am lythyr newydd.",
		wire.NoticeReviewPassed:    "Mae ein tîm wedi edrych ar eich gwiriad: mae'n sefyll.",
		wire.NoticeReviewFailed:    "Ni allai ein tîm gwblhau eich gwiriad. Gallwch ddod yn ôl gyda thystiolaeth arall.",
		wire.NoticeProxySubmitted:  "Anfonwyd y cais i rywun weithredu drosoch, neu i chi weithredu, ymlaen. Cewch glywed.",
		wire.NoticeProxyGranted:    "Caniatawyd y cais i weithredu dros rywun.",
		wire.NoticeProxyRefused:    "Ni chaniatawyd y cais i weithredu dros rywun. Gall eich meddygfa ddweud pam.",
		wire.NoticeProxyWithdrawn:  "Tynnwyd mynediad i weithredu dros rywun yn ôl.",
		wire.NoticeMoreNeeded:      "Mae angen rhagor o dystiolaeth. Gallwch ddod â hi i unrhyw gownter, gyda'r cyfeirnod hwn.",
		wire.NoticeVouchWithdrawn:  "Tynnodd rhywun a oedd yn eich adnabod ei air yn ôl. Gallwch ddod â thystiolaeth arall i unrhyw gownter.",
		wire.NoticeJoined:          "Cysylltwyd eich ymweliadau: mae'r hyn a ddaethoch yn cyfrif gyda'i gilydd.",
		wire.NoticeNotJoined:       "Ni ellid cysylltu eich ymweliadau. Holwch wrth unrhyw gownter.",
		wire.NoticeClaimReady:      "Gellir defnyddio'r cod hawlio ar eich slip wrth unrhyw gownter, pan fydd gennych gyfeiriad e-bost a rhif symudol.",
		wire.NoticeWishesApplied:   "Anfonwyd eich dymuniadau ymlaen.",
		wire.NoticeWishesRefused:   "Ni ellid anfon eich dymuniadau ymlaen ar y lefel hon.",
	},
}
