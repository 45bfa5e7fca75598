package mrz

import (
	"slices"
	"strings"
)

// specimenStates are codes that no state has and that specimens carry: Utopia of
// ICAO 9303, and those of the German, British and other printers.
const specimenStates = "UTO BDR COU ASU"

// specimenNumbers are numbers of specimens that are shown in public: the ICAO
// examples, the German, Canadian and British samples.
const specimenNumbers = "L898902C3 L898902C D23145890 C01X00T47 C01X0006H L01X00T47 T22000129 ZE000509 ZU1234567"

// Specimen reports whether a document is a known specimen: issued by or to a
// state that does not exist, made out to SPECIMEN, MUSTERMANN, VZOR or SAMPLE,
// or with a number that is shown in public. A specimen is no evidence. The ICAO
// name ERIKSSON is a common one, so it says nothing by itself: it counts only
// with UTO, which counts alone.
func Specimen(d Document) bool {
	f := d.Fields
	if specimenState(f.IssuingState) || specimenState(f.Nationality) {
		return true
	}
	number := f.DocumentNumber
	if listed(specimenNumbers, number) || strings.HasPrefix(number, "SPECI") {
		return true
	}
	if len(number) > 4 && strings.Trim(number, "0") == "" {
		return true
	}
	return slices.ContainsFunc(strings.Fields(f.Surname+" "+f.GivenNames), specimenName)
}

// specimenName judges one word of a name. SAMPLE and VZOR must be the whole
// word, since longer names hold them; the two others are nobody's.
func specimenName(word string) bool {
	return word == "SAMPLE" || word == "VZOR" ||
		strings.Contains(word, "SPECIMEN") || strings.Contains(word, "MUSTERMANN")
}

// specimenState reports whether a code is one of specimens.
func specimenState(code string) bool { return listed(specimenStates, code) }

// listed reports whether a word is one of a list; the empty word never is.
func listed(list, word string) bool {
	return word != "" && slices.Contains(strings.Fields(list), word)
}
