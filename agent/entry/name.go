package entry

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/licence"
	"github.com/counterproof/counterproof/agent/proof"
)

// maxName bounds a name, in characters.
const maxName = 100

// name makes a name three ways; nothing typed is no name. Letters that only look
// Latin, digits, and signs that turn the writing or show nothing are refused.
func name(typed string) (proof.Name, proof.Kind) {
	typed = strings.Join(strings.Fields(typed), " ")
	if typed == "" {
		return proof.Name{}, proof.KindNone
	}
	n, odd := licence.ReadName(typed)
	if odd || strings.ContainsFunc(typed, hidden) || utf8.RuneCountInString(typed) > maxName || n.Key == "" {
		return proof.Name{}, proof.KindOddLetters
	}
	return n, proof.KindNone
}

// Colleague finds the operator of this counter whose name the patient bears:
// surname and first given name the same. An operator whom colleagues know by one
// name is nobody's namesake.
func Colleague(p proof.Person, operators []proof.Operator) (proof.OperatorID, bool) {
	first, _, _ := strings.Cut(p.Given.ICAO, " ")
	if p.Surname.Key == "" || first == "" {
		return "", false
	}
	for _, op := range operators {
		before, behind, _ := strings.Cut(op.Name, ",") // the surname before, or a job behind
		forms := []string{op.Name, before, behind + " " + before}
		if slices.ContainsFunc(forms, func(name string) bool { return called(name, first, p.Surname.Key) }) {
			return op.ID, true
		}
	}
	return "", false
}

// titles may stand before the name that colleagues know somebody by.
var titles = []string{"DR", "MISS", "MR", "MRS", "MS", "MX", "PROF", "REV", "SIR"}

// called reports whether a display name tells a first given name and a surname;
// other given names may stand between. What is no letter of a name is left out
// rather than refused: nobody is let through as a stranger for the number behind
// their name.
func called(display, first, surname string) bool {
	n, _ := licence.ReadName(display)
	words := strings.Fields(n.ICAO)
	if len(words) > 2 && slices.Contains(titles, words[0]) {
		words = words[1:]
	}
	if len(words) < 2 || words[0] != first {
		return false
	}
	for i := range words[1:] {
		if strings.Join(words[i+1:], "") == surname {
			return true
		}
	}
	return false
}
