package slip

import (
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
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
	},
	levels: map[proof.Level]string{
		proof.NoLevel: "none", proof.Low: "low", proof.Medium: "medium", proof.High: "high", proof.VeryHigh: "very high",
	},
	next: map[proof.Result][]string{
		proof.Proved:    {"You need do nothing now. To add more evidence later, show this reference at any counter."},
		proof.Review:    {"You need do nothing now. You will hear from us, or ask at any counter with this reference."},
		proof.NotProved: {"You can come back with another document, to any counter. Show this reference."},
		proof.Abandoned: {"You can come back at any time."},
	},
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
	},
	levels: map[proof.Level]string{
		proof.NoLevel: "dim", proof.Low: "isel", proof.Medium: "canolig", proof.High: "uchel", proof.VeryHigh: "uchel iawn",
	},
	next: map[proof.Result][]string{
		proof.Proved:    {"Nid oes angen gwneud dim nawr. I ychwanegu tystiolaeth, dangoswch y cyfeirnod hwn wrth unrhyw gownter."},
		proof.Review:    {"Nid oes angen gwneud dim nawr. Byddwn yn cysylltu, neu holwch wrth unrhyw gownter gyda'r cyfeirnod hwn."},
		proof.NotProved: {"Gallwch ddod yn ôl gyda dogfen arall, i unrhyw gownter. Dangoswch y cyfeirnod hwn."},
		proof.Abandoned: {"Gallwch ddod yn ôl unrhyw bryd."},
	},
}
