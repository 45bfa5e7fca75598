package slip

import (
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// words is the catalogue of one language. Every language has every text; a test
// counts them.
type words struct {
	title, training    string
	level, provisional string
	reference, keep    string
	site, date         string
	result             map[proof.Result]string
	levels             map[proof.Level]string
	next               map[proof.Result][]string
	token, tokenUse    string
	until              string
	newsTitle, newsOf  string
	news               map[wire.NoticeKind]string
	newsOther          string

	deedsTitle, everybody string
	since, more, damaged  string
	visit                 string
	deeds                 map[api.DeedKind]string
}

// wordsOf finds the catalogue of a language by its first part; English where
// there is none.
func wordsOf(language string) words {
	tag, _, _ := strings.Cut(strings.ToLower(language), "-")
	if tag == "cy" {
		return welsh
	}
	return english
}

var english = words{
	title:       "Identity check",
	training:    "TRAINING ONLY",
	level:       "Level of confidence:",
	provisional: "This is provisional. It becomes final when the central checks are done.",
	reference:   "Your reference:",
	keep:        "Keep this slip. Nobody can see who you are from it.",
	site:        "Checked at:",
	date:        "Date:",
	result: map[proof.Result]string{
		proof.Proved:    "Your identity was checked today.",
		proof.Review:    "We could not complete this check here. Our team will look at it.",
		proof.NotProved: "We could not prove your identity with what we saw today.",
		proof.Abandoned: "This check was ended early.",
		proof.Pending:   "What you brought today is being checked. Nothing is decided yet.",
		proof.Requested: "Your request was taken today. People who know the rules decide on it.",
	},
	levels: map[proof.Level]string{
		proof.NoLevel: "none", proof.Low: "low", proof.Medium: "medium", proof.High: "high", proof.VeryHigh: "very high",
	},
	next: map[proof.Result][]string{
		proof.Proved:    {"You need do nothing now. To add more evidence later, show this reference at any counter."},
		proof.Review:    {"You need do nothing now. You will hear from us, or ask at any counter with this reference."},
		proof.NotProved: {"You can come back with another document, to any counter. Show this reference."},
		proof.Abandoned: {"You can come back at any time."},
		proof.Pending:   {"You need do nothing now. Ask at any counter with this reference, or wait for a letter."},
		proof.Requested: {"You need do nothing now. You will hear what was decided. You may take it back at any counter."},
	},
	token:     "Your claim code. Keep it secret:",
	tokenUse:  "If the central checks end at level P9, it opens your NHS login at any counter, once you have an e-mail address and a mobile number.",
	until:     "Good until:",
	newsTitle: "News of your check",
	newsOf:    "About your reference:",
	news:      englishNews,
	newsOther: "There is news of your check. Please ask the helpdesk, with this reference.",

	deedsTitle: "Who did what",
	everybody:  "everybody",
	since:      "Since:",
	more:       "There is more that is older.",
	damaged:    "Lines of this record are missing or were changed.",
	visit:      "visit",
	deeds:      englishDeeds,
}

var welsh = words{
	title:       "Gwirio hunaniaeth",
	training:    "HYFFORDDIANT YN UNIG",
	level:       "Lefel hyder:",
	provisional: "Mae hyn dros dro. Daw'n derfynol pan fydd y gwiriadau canolog wedi'u gwneud.",
	reference:   "Eich cyfeirnod:",
	keep:        "Cadwch y slip hwn. Ni all neb weld pwy ydych chi oddi wrtho.",
	site:        "Gwiriwyd yn:",
	date:        "Dyddiad:",
	result: map[proof.Result]string{
		proof.Proved:    "Gwiriwyd eich hunaniaeth heddiw.",
		proof.Review:    "Ni allem gwblhau'r gwiriad hwn yma. Bydd ein tîm yn edrych arno.",
		proof.NotProved: "Ni allem brofi eich hunaniaeth gyda'r hyn a welsom heddiw.",
		proof.Abandoned: "Daeth y gwiriad hwn i ben yn gynnar.",
		proof.Pending:   "Mae'r hyn a ddaethoch heddiw yn cael ei wirio. Nid oes dim wedi'i benderfynu eto.",
		proof.Requested: "Cymerwyd eich cais heddiw. Pobl sy'n gwybod y rheolau fydd yn penderfynu.",
	},
	levels: map[proof.Level]string{
		proof.NoLevel: "dim", proof.Low: "isel", proof.Medium: "canolig", proof.High: "uchel", proof.VeryHigh: "uchel iawn",
	},
	next: map[proof.Result][]string{
		proof.Proved:    {"Nid oes angen gwneud dim nawr. I ychwanegu tystiolaeth, dangoswch y cyfeirnod hwn wrth unrhyw gownter."},
		proof.Review:    {"Nid oes angen gwneud dim nawr. Byddwn yn cysylltu, neu holwch wrth unrhyw gownter gyda'r cyfeirnod hwn."},
		proof.NotProved: {"Gallwch ddod yn ôl gyda dogfen arall, i unrhyw gownter. Dangoswch y cyfeirnod hwn."},
		proof.Abandoned: {"Gallwch ddod yn ôl unrhyw bryd."},
		proof.Pending:   {"Nid oes angen gwneud dim nawr. Holwch wrth unrhyw gownter gyda'r cyfeirnod hwn, neu arhoswch am lythyr."},
		proof.Requested: {"Nid oes angen gwneud dim nawr. Cewch glywed beth a benderfynwyd. Gallwch ei dynnu'n ôl wrth unrhyw gownter."},
	},
	token:     "Eich cod hawlio. Cadwch ef yn gyfrinach:",
	tokenUse:  "Os bydd y gwiriadau canolog yn gorffen ar lefel P9, mae'n agor eich NHS login wrth unrhyw gownter, pan fydd gennych gyfeiriad e-bost a rhif symudol.",
	until:     "Yn ddilys tan:",
	newsTitle: "Newyddion am eich gwiriad",
	newsOf:    "Am eich cyfeirnod:",
	news:      welshNews,
	newsOther: "Mae newyddion am eich gwiriad. Holwch y ddesg gymorth, gyda'r cyfeirnod hwn.",

	deedsTitle: "Pwy wnaeth beth",
	everybody:  "pawb",
	since:      "Ers:",
	more:       "Mae rhagor sy'n hŷn.",
	damaged:    "Mae llinellau o'r cofnod hwn ar goll neu wedi'u newid.",
	visit:      "ymweliad",
	deeds:      welshDeeds,
}
