package entry_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/nhs/provision"
	"github.com/counterproof/counterproof/agent/proof"
)

func TestClaim(t *testing.T) {
	t.Parallel()
	token := entry.Token([10]byte{1, 2, 3}, today)
	if token.Until != day(2027, 2, 20) || token.Token != string(claim.New([10]byte{1, 2, 3})) {
		t.Errorf("drawn %+v", token)
	}
	good := proof.ClaimRedeemed{Token: strings.ToLower(token.Token), Email: " Wren@Example.ORG ", Mobile: "07700 900 123"}
	fact, kind := entry.Claim(good, today)
	if got, ok := fact.(proof.ClaimRedeemed); kind != proof.KindNone || !ok || got.Token != token.Token || got.Email != "Wren@example.org" || got.Mobile != "+447700900123" {
		t.Errorf("%q: %+v", kind, fact)
	}
	for _, c := range []refused[proof.ClaimRedeemed]{
		{"a slip of the pen", func(c *proof.ClaimRedeemed) { c.Token = "9" + token.Token[1:] }, proof.KindTokenWrong},
		{"no token", func(c *proof.ClaimRedeemed) { c.Token = "" }, proof.KindTokenWrong},
		{"no e-mail address", func(c *proof.ClaimRedeemed) { c.Email = "" }, proof.KindDetailsMissing},
		{"no mobile number", func(c *proof.ClaimRedeemed) { c.Mobile = " " }, proof.KindDetailsMissing},
		{"half an e-mail address", func(c *proof.ClaimRedeemed) { c.Email = "wren@" }, proof.KindContactWrong},
		{"a landline", func(c *proof.ClaimRedeemed) { c.Mobile = "01632 960001" }, proof.KindContactWrong},
	} {
		in := good
		c.change(&in)
		if _, kind := entry.Claim(in, today); kind != c.want {
			t.Errorf("%s: %q, want %q", c.rule, kind, c.want)
		}
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	good := proof.PreferencesGiven{
		Email: "wren.o'neill+nhs@example.org", Mobile: "+33 6 12 34 56 78", Contact: "e_mail", Written: "large_print", Language: "cy",
		Interpreter: "yes", Pharmacy: " fwc87", OptOut: "no",
	}
	fact, kind := entry.Preferences(good)
	want := good
	want.Mobile, want.Pharmacy = "+33612345678", "FWC87"
	if got, ok := fact.(proof.PreferencesGiven); kind != proof.KindNone || !ok || got != want {
		t.Errorf("%q: %+v, want %+v", kind, fact, want)
	}
	if fact, kind := entry.Preferences(proof.PreferencesGiven{}); kind != proof.KindNone || fact != (proof.PreferencesGiven{}) {
		t.Errorf("no wishes: %q %+v", kind, fact)
	}
	for _, c := range []refused[proof.PreferencesGiven]{
		{"no pharmacy", func(p *proof.PreferencesGiven) { p.Pharmacy = "the one over there" }, proof.KindPracticeCodes},
		{"a pharmacy with a dotless i", func(p *proof.PreferencesGiven) { p.Pharmacy = "FWC\u01317" }, proof.KindPracticeCodes},
		{"a way of contact", func(p *proof.PreferencesGiven) { p.Contact = "pigeon" }, proof.KindBadRequest},
		{"a written format", func(p *proof.PreferencesGiven) { p.Written = "runes" }, proof.KindBadRequest},
		{"a signed language", func(p *proof.PreferencesGiven) { p.Language = "en;" }, proof.KindBadRequest},
		{"a numbered language", func(p *proof.PreferencesGiven) { p.Language = "e1" }, proof.KindBadRequest},
		{"an empty part of a language", func(p *proof.PreferencesGiven) { p.Language = "en--GB" }, proof.KindBadRequest},
		{"an endless language", func(p *proof.PreferencesGiven) { p.Language = "en-abcdefgh-abcdefgh-a" }, proof.KindBadRequest},
		{"an interpreter perhaps", func(p *proof.PreferencesGiven) { p.Interpreter = "perhaps" }, proof.KindBadRequest},
		{"an opt-out perhaps", func(p *proof.PreferencesGiven) { p.OptOut = "perhaps" }, proof.KindBadRequest},
	} {
		in := good
		c.change(&in)
		if _, kind := entry.Preferences(in); kind != c.want {
			t.Errorf("%s: %q, want %q", c.rule, kind, c.want)
		}
	}
}

func TestContactDetails(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"07700 900123": "+447700900123", "+44 (0)7700-900.123": "+447700900123", "0044 7700 900123": "+447700900123",
		"+44 07700 900123": "+447700900123", "(07700) 900123": "+447700900123", "07624 900123": "+447624900123", "+49 (0)151 2345 6789": "+4915123456789",
		"01632 960001": "", "07700": "", "+44770090012x": "", "7700900123": "", "070 1234 5678": "", "07600 123456": "", "+0447700900123": "",
		"０７７００９００１２３": "", "+44\u202a7700900123": "", "+": "", "0": "", "+1234567890123456": "", "+44 7700 900123 4": "", "--": "",
	} {
		fact, kind := entry.Preferences(proof.PreferencesGiven{Mobile: typed})
		if got, ok := fact.(proof.PreferencesGiven); ok != (want != "") || got.Mobile != want || !ok && kind != proof.KindContactWrong {
			t.Errorf("%q is %q (%q), want %q", typed, got.Mobile, kind, want)
		}
	}
	for typed, want := range map[string]bool{
		"a@b.org": true, "first.last@mail.example.org": true, "a@xn--bcher-kva.example": true, "a@1.example": true,
		"wren@": false, "@example.org": false, "a@b@c.org": false, "w ren@example.org": false, "wren@example": false, "a@-b.org": false,
		"a@b-.org": false, "a..b@c.org": false, ".a@b.org": false, "a.@b.org": false, "a@b..org": false, "a@b.org.": false, "a@10.0.0.1": false,
		`"a"@b.org`: false, "a<b>@c.org": false, "а@b.org": false, "a@\u212a.org": false, "a\u200b@b.org": false, "a@b.org\r\nBcc: c@d.org": false,
		strings.Repeat("a", 64) + "@b.org": true, strings.Repeat("a", 65) + "@b.org": false, "a@" + strings.Repeat("b", 64) + ".org": false,
		"a@" + strings.Repeat("b.", 130) + "org": false,
	} {
		if _, kind := entry.Preferences(proof.PreferencesGiven{Email: typed}); (kind == proof.KindNone) != want {
			t.Errorf("%q: %q, want taken %t", typed, kind, want)
		}
	}
}

// TestTheAccountServiceTakesWhatIsTaken holds that no contact details pass here
// that the client of the account service would refuse after the patient has gone
// home, or write in another way.
func TestTheAccountServiceTakesWhatIsTaken(t *testing.T) {
	t.Parallel()
	number := rapid.StringMatching(`(\+44|0|00|\+)[ (]?[0-9]{0,3}[) .-]?[0-9]{4,13}`)
	address := rapid.StringMatching(`[a-zA-Z0-9.!'+_-]{1,12}@[a-zA-Z0-9.-]{1,12}\.[a-zA-Z0-9]{1,4}`)
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		fact, _ := entry.Preferences(proof.PreferencesGiven{Mobile: number.Draw(t, "mobile")})
		if f, ok := fact.(proof.PreferencesGiven); ok {
			taken++
			if got, err := provision.NormalisePhone(f.Mobile); err != nil || got != f.Mobile {
				t.Fatalf("%q is %q there: %v", f.Mobile, got, err)
			}
		}
		fact, _ = entry.Preferences(proof.PreferencesGiven{Email: address.Draw(t, "email")})
		if f, ok := fact.(proof.PreferencesGiven); ok {
			taken++
			if got, err := provision.NormaliseEmail(f.Email); err != nil || got != f.Email {
				t.Fatalf("%q is %q there: %v", f.Email, got, err)
			}
		}
	})
	if taken == 0 {
		t.Error("nothing was taken, so nothing was compared")
	}
}

func TestFeedback(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		" very\tkind \u202eclerk\r\n": "very kind clerk", "da\u200b iawn\x00": "da iawn", "": "", "\xff\xfe": "", "a\u3164b": "ab",
		strings.Repeat("ŵ", 500): strings.Repeat("ŵ", 500), strings.Repeat("a", 200): strings.Repeat("a", 200),
	} {
		fact, kind := entry.Feedback(proof.FeedbackGiven{Score: 5, Text: typed})
		if got, ok := fact.(proof.FeedbackGiven); kind != proof.KindNone || !ok || got.Text != want || got.Score != 5 {
			t.Errorf("%q: %q %+v", typed, kind, fact)
		}
	}
	for _, in := range []proof.FeedbackGiven{{}, {Score: 6}, {Score: -1}, {Score: 3, Text: strings.Repeat("a", 501)}} {
		if _, kind := entry.Feedback(in); kind != proof.KindBadRequest {
			t.Errorf("score %d with %d letters: %q", in.Score, len(in.Text), kind)
		}
	}
}

// FuzzContact types whatever comes: what is taken is bounded and plain.
func FuzzContact(f *testing.F) {
	f.Add("wren@example.org", "07700 900123", "en-GB", "FWC87", "kind")
	f.Add("а@b.org", "+44\u202a7700", "e", "\u0131", "\u202e\xff")
	f.Add("a@1.2", "00(0)", "-", "", "\u2800")
	f.Fuzz(func(t *testing.T, email, mobile, language, pharmacy, words string) {
		fact, kind := entry.Preferences(proof.PreferencesGiven{Email: email, Mobile: mobile, Language: language, Pharmacy: pharmacy})
		if got, ok := fact.(proof.PreferencesGiven); ok {
			all := got.Email + got.Mobile + got.Language + got.Pharmacy
			odd := strings.IndexFunc(all, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0
			if kind != proof.KindNone || odd || len(got.Email) > 254 || len(got.Mobile) > 16 || len(got.Language) > 20 || len(got.Pharmacy) > 10 {
				t.Errorf("taken: %q", got)
			}
		}
		fact, _ = entry.Feedback(proof.FeedbackGiven{Score: 1, Text: words})
		if got, ok := fact.(proof.FeedbackGiven); ok && (len([]rune(got.Text)) > 500 || !shows(got.Text)) {
			t.Errorf("taken: %q", got.Text)
		}
	})
}
