package entry

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/proof"
)

// Contacts are the preferred ways of contact (PDS, codes 1 to 8).
func Contacts() []proof.Code {
	return []proof.Code{"letter", "visit", "telephone", "e_mail", "minicom", "telephone_via_proxy", "sign_language", "no_telephone"}
}

// WrittenFormats are the forms of letters (PDS, codes 11 to 13).
func WrittenFormats() []proof.Code { return []proof.Code{"large_print", "braille", "audio"} }

// Claim is a token that somebody brings, with the contact details that the
// account needs. Whether the token is still good the opener knows.
func Claim(in proof.ClaimRedeemed, _ proof.Date) (proof.Fact, proof.Kind) {
	token, err := claim.Parse(in.Token)
	if err != nil {
		return nil, proof.KindTokenWrong
	}
	f := proof.ClaimRedeemed{Token: string(token)}
	var mail, phone bool
	f.Email, mail = email(in.Email)
	f.Mobile, phone = mobile(in.Mobile)
	switch {
	case !mail || !phone:
		return nil, proof.KindContactWrong
	case f.Email == "" || f.Mobile == "":
		return nil, proof.KindDetailsMissing
	}
	return f, proof.KindNone
}

// Token makes the fact of a claim token that was drawn.
func Token(random [10]byte, today proof.Date) proof.ClaimMade {
	return proof.ClaimMade{Token: string(claim.New(random)), Until: claim.Until(today)}
}

// Preferences are the patient's wishes.
func Preferences(in proof.PreferencesGiven) (proof.Fact, proof.Kind) {
	f := in
	var mail, phone, pharmacy bool
	f.Email, mail = email(in.Email)
	f.Mobile, phone = mobile(in.Mobile)
	f.Pharmacy, pharmacy = organisation(in.Pharmacy)
	yesNo := []proof.Code{"", "yes", "no"}
	switch {
	case !mail || !phone:
		return nil, proof.KindContactWrong
	case f.Pharmacy != "" && !pharmacy:
		return nil, proof.KindPracticeCodes
	case f.Contact != "" && !slices.Contains(Contacts(), f.Contact), f.Written != "" && !slices.Contains(WrittenFormats(), f.Written):
		return nil, proof.KindBadRequest
	case !slices.Contains(yesNo, f.Interpreter), !slices.Contains(yesNo, f.OptOut), !tag(f.Language):
		return nil, proof.KindBadRequest
	}
	return f, proof.KindNone
}

// maxFeedback bounds what a patient writes, in characters.
const maxFeedback = 500

// Feedback is what the patient thought of the visit. Signs that do not show are
// left out.
func Feedback(in proof.FeedbackGiven) (proof.Fact, proof.Kind) {
	if in.Score < 1 || in.Score > 5 || utf8.RuneCountInString(in.Text) > maxFeedback {
		return nil, proof.KindBadRequest
	}
	showing := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case hidden(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(in.Text, ""))
	return proof.FeedbackGiven{Score: in.Score, Text: strings.Join(strings.Fields(showing), " ")}, proof.KindNone
}

// email checks an address as far as its shape goes (RFC 5321 §4.1.2, without
// quotes and bare hosts); whether somebody reads it a code shows later. Signs
// beyond ASCII are refused, as nobody can tell those that look alike. None is
// allowed.
func email(typed string) (string, bool) {
	const longest, longestLocal = 254, 64
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return "", true
	}
	local, host, found := strings.Cut(typed, "@")
	ok := found && len(typed) <= longest && len(local) <= longestLocal && dotted(local, mailboxSign) && domain(host)
	return local + "@" + strings.ToLower(host), ok
}

// mailboxSign reports a sign of the first half of an address.
func mailboxSign(r rune) bool {
	return onlyPlain(r) >= 0 || strings.ContainsRune("!#$%&'*+/=?^_`{|}~-", r)
}

// domainSign reports a sign of the second half.
func domainSign(r rune) bool { return onlyPlain(r) >= 0 || r == '-' }

// dotted reports parts of given signs with single dots between them.
func dotted(s string, sign func(rune) bool) bool {
	odd := func(r rune) bool { return !sign(r) }
	return !slices.ContainsFunc(strings.Split(s, "."), func(part string) bool { return part == "" || strings.ContainsFunc(part, odd) })
}

// domain reports a name of the domain name system (RFC 1035 §2.3.1) of two
// labels or more, the last of them no number.
func domain(s string) bool {
	const longestLabel = 63
	labels := strings.Split(s, ".")
	if len(labels) < 2 || !dotted(s, domainSign) || strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return false
	}
	return !slices.ContainsFunc(labels, func(l string) bool { return len(l) > longestLabel || strings.Trim(l, "-") != l })
}

// mobile writes a telephone number with its country code (ITU-T E.164). One that
// begins with a single 0 is British; of British numbers only those of mobile
// telephones pass, since a code is sent there. None is allowed.
func mobile(typed string) (string, bool) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return "", true
	}
	if strings.HasPrefix(typed, "+") || strings.HasPrefix(typed, "00") {
		typed = strings.Replace(typed, "(0)", "", 1)
	}
	number := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(typed)
	switch {
	case strings.HasPrefix(number, "00"):
		number = "+" + number[2:]
	case strings.HasPrefix(number, "0"):
		number = "+44" + number[1:]
	}
	if british, ok := strings.CutPrefix(number, "+44"); ok {
		british = strings.TrimPrefix(british, "0") // a habit: +44 07700 …
		return "+44" + british, britishMobile(british)
	}
	return number, e164(number)
}

// britishMobile reports the ten digits of a British mobile number (Ofcom,
// National Telephone Numbering Plan): 070 is for personal numbers and 076 for
// pagers, but for 07624 on the Isle of Man.
func britishMobile(s string) bool {
	if len(s) != 10 || strings.Trim(s, "0123456789") != "" || s[0] != '7' {
		return false
	}
	return s[1] != '0' && s[1] != '6' || strings.HasPrefix(s, "7624")
}

// e164 reports a plus and 8 to 15 digits, the first of them not 0.
func e164(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 8 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == "" && digits[0] != '0'
}
