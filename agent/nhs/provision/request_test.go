package provision

import (
	"errors"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// phoneErrors are the errors of testdata/phones.txt.
var phoneErrors = map[string]error{
	"mobile": ErrPhoneMobile, "country": ErrPhoneCountry, "length": ErrPhoneLength, "signs": ErrPhoneSigns,
}

func TestNormalisePhone(t *testing.T) {
	t.Parallel()
	for _, row := range typed(t, "phones.txt") {
		want, input := row[0], row[1]
		got, err := NormalisePhone(input)
		if wrong, bad := phoneErrors[want]; bad {
			if !errors.Is(err, wrong) || got != "" {
				t.Errorf("%q: got %q (%v), want %v", input, got, err, wrong)
			}
			continue
		}
		if got != want || err != nil {
			t.Errorf("%q: got %q (%v), want %s", input, got, err, want)
		}
	}
}

func TestNormaliseEmail(t *testing.T) {
	t.Parallel()
	for _, row := range typed(t, "emails.txt") {
		got, err := NormaliseEmail(row[1])
		if row[0] == "ok" && (err != nil || got != strings.TrimSpace(row[1])) {
			t.Errorf("%q: got %q (%v), want it", row[1], got, err)
		}
		if row[0] == "no" && (!errors.Is(err, ErrEmail) || got != "") {
			t.Errorf("%q: got %q (%v), want it refused", row[1], got, err)
		}
	}
	long := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 62)+".", 3)
	for name, address := range map[string]string{
		"long-name":  "a" + long + "example",
		"long-label": "a@" + strings.Repeat("b", 64) + ".example",
		"long":       long + "example",
	} {
		if _, err := NormaliseEmail(address); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	if _, err := NormaliseEmail(long[:247] + ".example"[:7]); err != nil {
		t.Errorf("254 signs: %v", err)
	}
}

// TestRequestIsHeldBack: what the service would refuse is not sent, and names the
// field to put right. An organisation's code is not the patient's to put right.
func TestRequestIsHeldBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*Request)
		field Field
	}{
		{"number/none", func(r *Request) { r.NHSNumber = "" }, NHSNumber},
		{"number/check-digit", func(r *Request) { r.NHSNumber = "9000000008" }, NHSNumber},
		{"number/repeated", func(r *Request) { r.NHSNumber = "2222222222" }, NHSNumber},
		{"birth/none", func(r *Request) { r.Birth = proof.Date{} }, DateOfBirth},
		{"birth/no-day", func(r *Request) { r.Birth.Day = 0 }, DateOfBirth},
		{"birth/29-february", func(r *Request) { r.Birth.Year = 1985 }, DateOfBirth},
		{"birth/day-and-month-changed", func(r *Request) { r.Birth = proof.Date{Year: 1993, Month: 17, Day: 12} }, DateOfBirth},
		{"birth/tomorrow", func(r *Request) { r.Birth = proof.Date{Year: 2026, Month: 11, Day: 23} }, DateOfBirth},
		{"email/none", func(r *Request) { r.Email = "" }, Email},
		{"phone/landline", func(r *Request) { r.Phone = "01632 960123" }, Phone},
		{"ods/none", func(r *Request) { r.ProvisionerODS = "" }, ODSCode},
		{"ods/two", func(r *Request) { r.ProvisionerODS = "A2" }, ODSCode},
		{"ods/eleven", func(r *Request) { r.ProvisionerODS = "A2345678901" }, ODSCode},
		{"ods/sign", func(r *Request) { r.ProvisionerODS = "FWC-7" }, ODSCode},
		{"ods/homoglyph", func(r *Request) { r.ProvisionerODS = "\u0410" + "20047" }, ODSCode},
	} {
		r := newRig(t, nil)
		request := anna()
		c.spoil(&request)
		a := r.Provision(t.Context(), request)
		want := FixField
		if c.field == ODSCode {
			want = ConfigAlarm
		}
		if a.Disposition != want || a.Field != c.field || a.Err == nil {
			t.Errorf("%s: got %+v, want %s of %s", c.name, a, want, c.field)
		}
		if tokens, requests := r.line.counts(); tokens+requests != 0 {
			t.Errorf("%s: something was sent", c.name)
		}
	}
}

// TestODSShapes: the shapes of the specification's own text and sample both pass,
// and those of pharmacies and schools.
func TestODSShapes(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"A00002": "A00002", "A000023": "A000023", " fwc87 ": "FWC87", "TAK": "TAK", "EE134290": "EE134290", "A234567890": "A234567890",
	} {
		r := anna()
		r.ProvisionerODS = typed
		w, field, err := r.normalise(start)
		if err != nil || w.ODS != want {
			t.Errorf("%q: got %q (%s: %v), want %s", typed, w.ODS, field, err, want)
		}
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	var listed, byDefault []string
	for _, row := range table(t, "vectors.txt") {
		level, known := VectorLevel(row[2])
		if known != (row[0] != "-") || known && string(level) != row[0] {
			t.Errorf("%q: got %s (%v), want %s", row[2], level, known, row[0])
		}
		if row[1] != "read" {
			listed = append(listed, row[2])
		}
		if row[1] == "default" {
			byDefault = append(byDefault, row[2])
		}
	}
	if got := strings.Join(Vectors(), " "); got != strings.Join(listed, " ") {
		t.Errorf("got %s, want %v", got, listed)
	}
	if got := strings.Join(DefaultVectors(), " "); got != strings.Join(byDefault, " ") {
		t.Errorf("got %s by default, want %v", got, byDefault)
	}
	Vectors()[0] = "P9.Cm"
	if level, _ := VectorLevel("P0.Cp"); level != proof.P0 {
		t.Error("the list can be changed from outside")
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, row := range table(t, "scopes.txt") {
		if got := Scopes(proof.NHSLevel(row[0])); strings.Join(got, " ") != strings.Join(row[1:], " ") {
			t.Errorf("%s: got %v, want %v", row[0], got, row[1:])
		}
	}
	for _, level := range []proof.NHSLevel{proof.NHSNone, proof.ParentAttested, "", "P10"} {
		if got := Scopes(level); got != nil {
			t.Errorf("%q: got %v, want none", level, got)
		}
	}
}

// FuzzPhone: what passes is in international form and stays as it is.
func FuzzPhone(f *testing.F) {
	for _, row := range typed(f, "phones.txt") {
		f.Add(row[1])
	}
	f.Fuzz(func(t *testing.T, input string) {
		got, err := NormalisePhone(input)
		if err != nil {
			return
		}
		if len(got) < 9 || len(got) > 16 || got[0] != '+' || strings.Trim(got[1:], "0123456789") != "" || got[1] == '0' {
			t.Errorf("%q became %q", input, got)
		}
		if again, err := NormalisePhone(got); again != got || err != nil {
			t.Errorf("%q became %q and then %q (%v)", input, got, again, err)
		}
	})
}

// FuzzEmail: what passes is one address on one line.
func FuzzEmail(f *testing.F) {
	for _, row := range typed(f, "emails.txt") {
		f.Add(row[1])
	}
	f.Fuzz(func(t *testing.T, input string) {
		got, err := NormaliseEmail(input)
		if err != nil {
			return
		}
		if strings.Count(got, "@") != 1 || strings.ContainsAny(got, " ,;<>\"\r\n\x00") {
			t.Errorf("%q became %q", input, got)
		}
		if again, err := NormaliseEmail(got); again != got || err != nil {
			t.Errorf("%q became %q and then %q (%v)", input, got, again, err)
		}
	})
}
