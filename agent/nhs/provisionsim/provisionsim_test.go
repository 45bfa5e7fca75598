package provisionsim

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Facts of the simulated set-up.
const (
	client   = "counterproof-test"
	tokenURL = "https://login.example/token"
)

var begin = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

// testKey makes one key for all tests.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil
	}
	return key
})

// desk is a service whose clock the test moves.
type desk struct {
	*Service
	at time.Time
}

// newDesk makes one with two invented patients.
func newDesk(t testing.TB, change func(*Config)) *desk {
	t.Helper()
	d := &desk{at: begin}
	c := Config{
		ClientID: client, Key: &testKey().PublicKey, TokenURL: tokenURL, Enabled: []string{"FWC87", "A20047"},
		Patients: []Patient{
			{NHSNumber: "9000000009", Birth: "1984-02-29"},
			{NHSNumber: "9000000017", Birth: "1990-05-05", Level: P5, Email: "ben@example.org"},
			{NHSNumber: "9000000076", Birth: "2010-11-23"},
		},
		Now: func() time.Time { return d.at },
	}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	d.Service = s
	return d
}

// jwt writes a JWT with a signature by a function over what is signed.
func jwt(header, claims string, sign func([]byte) []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	return signed + "." + encode(sign([]byte(signed)))
}

// rs512 signs with a key.
func rs512(key *rsa.PrivateKey) func([]byte) []byte {
	return func(signed []byte) []byte {
		digest := sha512.Sum512(signed)
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA512, digest[:])
		if err != nil {
			return nil
		}
		return signature
	}
}

// said are the claims of an assertion.
func said(jti string, exp time.Time) string {
	return fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":%q,"exp":%d,"jti":%q}`, client, client, tokenURL, exp.Unix(), jti)
}

const header = `{"alg":"RS512","typ":"JWT"}`

// good is an assertion that is taken.
func good(jti string) string {
	return jwt(header, said(jti, begin.Add(2*time.Minute)), rs512(testKey()))
}

// answered is what the service said.
type answered struct {
	status int
	header http.Header
	body   map[string]any
}

// do asks a service.
func (d *desk) do(t testing.TB, path, kind, authorization, body string) answered {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	a := answered{status: w.Code, header: w.Header()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			t.Fatalf("the answer %q: %v", w.Body, err)
		}
	}
	return a
}

// token asks for a token.
func (d *desk) token(t testing.TB, assertion string) answered {
	t.Helper()
	return d.do(t, "/token", "application/x-www-form-urlencoded", "", url.Values{
		"grant_type": {"client_credentials"}, "client_assertion_type": {assertionType}, "client_assertion": {assertion},
	}.Encode())
}

// bearer is a token that is good.
func (d *desk) bearer(t testing.TB) string {
	t.Helper()
	exp := d.at.Add(time.Minute)
	a := d.token(t, jwt(header, said(rand.Text(), exp), rs512(testKey())))
	if a.status != 200 || a.body["token_type"] != "Bearer" || a.body["expires_in"] != 300.0 {
		t.Fatalf("got %+v, want a token", a)
	}
	return "Bearer " + a.body["access_token"].(string)
}

// ask asks for an account.
func (d *desk) ask(t testing.TB, bearer string, body string) answered {
	t.Helper()
	return d.do(t, "/provision-account", "application/json", bearer, body)
}

// form is a request that can be granted, with some fields changed; nil leaves
// one out.
func form(change map[string]any) string {
	fields := map[string]any{
		"nhs_number": "9000000009", "email_address": "anna@example.org", "date_of_birth": "1984-02-29",
		"phone_number": "+447700900123", "ods_code": "FWC87",
	}
	for key, value := range change {
		if fields[key] = value; value == nil {
			delete(fields, key)
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return ""
	}
	return string(text)
}

func TestAssertionIsVerified(t *testing.T) {
	t.Parallel()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	in := begin.Add(2 * time.Minute)
	ours := rs512(testKey())
	valid := said("j", in)
	for name, assertion := range map[string]string{
		"empty":              "",
		"two-parts":          strings.Join(strings.Split(good("j"), ".")[:2], "."),
		"four-parts":         good("j") + ".e30",
		"padded":             good("j") + "=",
		"not-base64":         "!." + good("j"),
		"too-long":           jwt(header, said(strings.Repeat("j", maxAssertion), in), ours),
		"alg-none":           jwt(`{"alg":"none"}`, valid, func([]byte) []byte { return nil }),
		"alg-none/signed":    jwt(`{"alg":"none"}`, valid, ours),
		"RS256":              jwt(`{"alg":"RS256"}`, valid, rs256),
		"RS256-called-RS512": jwt(header, valid, rs256),
		"HS512-by-public-key": jwt(`{"alg":"HS512"}`, valid, func(signed []byte) []byte {
			mac := hmac.New(sha512.New, x509.MarshalPKCS1PublicKey(&testKey().PublicKey))
			mac.Write(signed)
			return mac.Sum(nil)
		}),
		"critical-extension":  jwt(`{"alg":"RS512","crit":["b64"]}`, valid, ours),
		"header-no-json":      jwt(`RS512`, valid, ours),
		"claims-no-json":      jwt(header, `exp`, ours),
		"another-key":         jwt(header, valid, rs512(stranger)),
		"no-signature":        jwt(header, valid, func([]byte) []byte { return nil }),
		"claims-changed":      changed(good("j"), said("k", in)),
		"issuer":              jwt(header, strings.Replace(valid, `"iss":"counter`, `"iss":"x`, 1), ours),
		"subject":             jwt(header, strings.Replace(valid, `"sub":"counter`, `"sub":"x`, 1), ours),
		"audience":            jwt(header, strings.Replace(valid, tokenURL, tokenURL+"/", 1), ours),
		"audience/list":       jwt(header, strings.Replace(valid, `"aud":"`+tokenURL+`"`, `"aud":["https://other.example"]`, 1), ours),
		"audience/number":     jwt(header, strings.Replace(valid, `"aud":"`+tokenURL+`"`, `"aud":1`, 1), ours),
		"run-out":             jwt(header, said("j", begin), ours),
		"never-runs-out":      jwt(header, said("j", begin.Add(maxLife+time.Second)), ours),
		"exp-beyond-calendar": jwt(header, strings.Replace(valid, fmt.Sprint(in.Unix()), "9223372036854775807", 1), ours),
		"no-exp":              jwt(header, strings.Replace(valid, `"exp"`, `"exq"`, 1), ours),
		"no-jti":              jwt(header, said("", in), ours),
		"long-jti":            jwt(header, said(strings.Repeat("j", maxID+1), in), ours),
	} {
		d := newDesk(t, nil)
		if a := d.token(t, assertion); a.status != 401 || a.body["error"] != "invalid_client" || a.body["access_token"] != nil {
			t.Errorf("%s: got %+v, want 401", name, a)
		}
	}
	d := newDesk(t, nil)
	if a := d.token(t, good("j")); a.status != 200 {
		t.Errorf("a good one: got %+v", a)
	}
	list := jwt(header, strings.Replace(said("k", in), `"aud":"`+tokenURL+`"`, `"aud":["x","`+tokenURL+`"]`, 1), ours)
	if a := d.token(t, list); a.status != 200 {
		t.Errorf("one of a list of audiences: got %+v", a)
	}
}

// rs256 signs by the neighbouring algorithm.
func rs256(signed []byte) []byte {
	digest := sha256.Sum256(signed)
	signature, err := rsa.SignPKCS1v15(nil, testKey(), crypto.SHA256, digest[:])
	if err != nil {
		return nil
	}
	return signature
}

// changed puts other claims under a signature.
func changed(token, claims string) string {
	parts := strings.Split(token, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(claims))
	return strings.Join(parts, ".")
}

func TestAssertionOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	for i, want := range []int{200, 401, 401} {
		if a := d.token(t, good("j")); a.status != want {
			t.Errorf("time %d: got %d, want %d", i+1, a.status, want)
		}
	}
	if a := d.token(t, good("k")); a.status != 200 {
		t.Errorf("another jti: got %d", a.status)
	}
	d.at = begin.Add(3 * time.Minute)
	d.token(t, jwt(header, said("l", d.at.Add(time.Minute)), rs512(testKey())))
	if len(d.spent) != 1 {
		t.Errorf("%d assertions are remembered, want only the one that has not run out", len(d.spent))
	}
}

func TestTokenRequest(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]url.Values{
		"grant/none":  {"client_assertion_type": {assertionType}, "client_assertion": {good("j")}},
		"grant/other": {"grant_type": {"password"}, "client_assertion_type": {assertionType}, "client_assertion": {good("j")}},
		"type":        {"grant_type": {"client_credentials"}, "client_assertion_type": {"saml"}, "client_assertion": {good("j")}},
		"secret":      {"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {"x"}},
	} {
		a := newDesk(t, nil).do(t, "/token", "application/x-www-form-urlencoded", "", body.Encode())
		if a.status < 400 || a.status > 401 || a.body["access_token"] != nil {
			t.Errorf("%s: got %+v, want it refused", name, a)
		}
	}
	d := newDesk(t, nil)
	if a := d.do(t, "/token", "application/x-www-form-urlencoded", "", "a=%zz"); a.status != 400 {
		t.Errorf("a broken form: got %d", a.status)
	}
	if a := d.do(t, "/token", "application/x-www-form-urlencoded", "", "a="+strings.Repeat("a", maxBody)); a.status != 400 {
		t.Errorf("a huge form: got %d", a.status)
	}
}

func TestTokenLife(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	bearer := d.bearer(t)
	for _, c := range []struct {
		after  time.Duration
		bearer string
		want   int
	}{
		{0, "", 401}, {0, "Bearer ", 401}, {0, "Bearer x", 401}, {0, strings.TrimPrefix(bearer, "Bearer "), 200},
		{0, bearer, 200}, {299 * time.Second, bearer, 200}, {300 * time.Second, bearer, 401},
	} {
		d.at = begin.Add(c.after)
		d.open = map[string]pending{}
		if a := d.ask(t, c.bearer, form(nil)); a.status != c.want {
			t.Errorf("%q after %s: got %d, want %d", c.bearer, c.after, a.status, c.want)
		}
	}
	fresh := d.bearer(t)
	if len(d.tokens) != 1 {
		t.Errorf("%d tokens are remembered, want only the one that is good", len(d.tokens))
	}
	d.Revoke()
	if a := d.ask(t, fresh, form(nil)); a.status != 401 {
		t.Errorf("after revoking: got %d", a.status)
	}
}

func TestBadData(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	bearer := d.bearer(t)
	for _, c := range []struct {
		name, field string
		value       any
	}{
		{"missing", "nhs_number", nil}, {"missing", "email_address", nil}, {"missing", "date_of_birth", nil},
		{"missing", "phone_number", nil}, {"missing", "ods_code", nil},
		{"empty", "nhs_number", ""}, {"spaced", "nhs_number", "900 000 0009"}, {"check-digit", "nhs_number", "9000000008"},
		{"full-width", "nhs_number", "９０００００００９"}, {"no-check-digit", "nhs_number", "9000000050"},
		{"no-host", "email_address", "anna@"}, {"two-lines", "email_address", "anna@example.org\nx"},
		{"day-first", "date_of_birth", "29-02-1984"}, {"month-17", "date_of_birth", "1993-17-12"}, {"29-february", "date_of_birth", "1985-02-29"},
		{"national", "phone_number", "07700900123"}, {"spaces", "phone_number", "+44 7700 900123"},
		{"lower-case", "ods_code", "fwc87"}, {"short", "ods_code", "FW"}, {"long", "ods_code", "FWC87654321"},
		{"long", "email_address", strings.Repeat("a", 300) + "@example.org"},
	} {
		a := d.ask(t, bearer, form(map[string]any{c.field: c.value}))
		if a.status != 400 || a.body["error_code"] != codeData || a.body["field"] != c.field {
			t.Errorf("%s/%s: got %+v, want 11010", c.field, c.name, a)
		}
	}
	for name, body := range map[string]string{"no-json": "nhs_number=1", "list": "[]", "number": form(map[string]any{"nhs_number": 9000000009}), "huge": `"` + strings.Repeat("a", maxBody) + `"`} {
		if a := d.ask(t, bearer, body); a.status != 400 || a.body["error_code"] != codeData {
			t.Errorf("%s: got %+v, want 11010", name, a)
		}
	}
	if len(d.open) != 0 {
		t.Error("bad data made a request")
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	bearer := d.bearer(t)
	ask := func(want string, change map[string]any) {
		t.Helper()
		a := d.ask(t, bearer, form(change))
		got := fmt.Sprint(a.body["error_code"])
		if a.status == 200 {
			got = fmt.Sprint(a.body["result"])
		}
		if got != want {
			t.Errorf("got %+v, want %s", a, want)
		}
		for _, detail := range []string{"9000000009", "anna", "1984", "7700"} {
			if strings.Contains(fmt.Sprint(a.body), detail) {
				t.Errorf("the answer %v repeats %s", a.body, detail)
			}
		}
	}
	ben := map[string]any{"nhs_number": "9000000017", "date_of_birth": "1990-05-05", "phone_number": "+447700900456"}
	ask("11021", map[string]any{"ods_code": "ZZZ99"})
	ask("11004", map[string]any{"email_address": "BEN@example.org"})
	ask("create", nil)
	ask("11003", map[string]any{"email_address": "anna.b@example.org"})
	ask("11004", ben)
	ben["email_address"] = "ben@example.org"
	ask("uplift", ben)
	ask("11009", map[string]any{"nhs_number": "9000000076", "date_of_birth": "2010-11-23"})

	if d.Claim("9000000076") || d.Claim("9000000106") || !d.Claim("9000000009") || d.Claim("9000000009") {
		t.Error("what was asked for is claimed once, and nothing else")
	}
	ask("11005", nil)
	// The day of the sixteenth birthday, after seven days without a claim.
	d.at = begin.AddDate(0, 0, 8)
	if d.Claim("9000000017") {
		t.Error("a request was claimed after seven days")
	}
	bearer = d.bearer(t)
	ask("uplift", ben)
	ask("11004", map[string]any{"nhs_number": "9000000076", "date_of_birth": "2010-11-23"}) // anna's account has it now
	ask("create", map[string]any{"nhs_number": "9000000076", "date_of_birth": "2010-11-23", "email_address": "flo@example.org"})
}

func TestTooMany(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *Config) { c.Limit, c.Window = 2, time.Minute })
	bearer := d.bearer(t)
	for i, want := range []int{200, 400, 429, 429} {
		a := d.ask(t, bearer, form(nil))
		if a.status != want {
			t.Errorf("request %d: got %+v, want %d", i+1, a, want)
		}
		if want == 429 && (a.body["error_code"] != codeTooMany || a.header.Get("Retry-After") != "60") {
			t.Errorf("request %d: got %+v, want 11011 and a minute", i+1, a)
		}
	}
	if a := d.ask(t, bearer, form(map[string]any{"ods_code": "A20047"})); a.status == 429 {
		t.Error("another organisation is slowed down too")
	}
	d.at = begin.Add(time.Minute)
	if a := d.ask(t, bearer, form(nil)); a.status == 429 {
		t.Error("it is still slowed down after a minute")
	}
}

func TestDownAndSlow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.SetDown(true)
	for _, path := range []string{"/token", "/provision-account"} {
		if a := d.do(t, path, "application/json", "", ""); a.status != 503 || a.body["error_code"] != codeDown {
			t.Errorf("%s: got %+v, want 11000", path, a)
		}
	}
	d.SetDown(false)
	if a := d.ask(t, d.bearer(t), form(nil)); a.status != 200 {
		t.Errorf("up again: got %+v", a)
	}
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		d.SetSlow(time.Minute)
		begun := time.Now()
		d.bearer(t)
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("answered after %s, want a minute", took)
		}
	})
}

func TestOtherRequests(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	for _, c := range []struct {
		method, path string
		want         int
	}{{"GET", "/token", 405}, {"GET", "/provision-account", 405}, {"POST", "/", 404}, {"POST", "/token/x", 404}} {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.want {
			t.Errorf("%s %s: got %d, want %d", c.method, c.path, w.Code, c.want)
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	ok := Config{ClientID: client, Key: &testKey().PublicKey, TokenURL: tokenURL}
	if _, err := New(ok); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no-client": func(c *Config) { c.ClientID = "" },
		"no-key":    func(c *Config) { c.Key = nil },
		"no-url":    func(c *Config) { c.TokenURL = "" },
		"number":    func(c *Config) { c.Patients = []Patient{{NHSNumber: "1"}} },
		"twice":     func(c *Config) { c.Patients = []Patient{{NHSNumber: "9000000009"}, {NHSNumber: "9000000009"}} },
	} {
		bad := ok
		spoil(&bad)
		if _, err := New(bad); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// FuzzAssertion: only what our key signed is taken, and nothing panics.
func FuzzAssertion(f *testing.F) {
	f.Add(good("j"))
	f.Add(jwt(`{"alg":"none"}`, said("j", begin), func([]byte) []byte { return nil }))
	f.Add("e30.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, assertion string) {
		c, err := verify(assertion, &testKey().PublicKey)
		if err == nil && c.ID != "j" {
			t.Errorf("%q was taken", assertion)
		}
	})
}

// FuzzRequest: whatever the body, the answer is one of the specification.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(form(nil)))
	f.Add([]byte(form(map[string]any{"nhs_number": nil})))
	f.Add([]byte(`{"nhs_number":"9000000017","date_of_birth":"1990-05-05"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		done, refused := newDesk(t, nil).provision(body, begin)
		if (done == "") == (refused.Code == "") {
			t.Errorf("got %q and %+v", done, refused)
		}
		if done != "" && !bytes.Contains(body, []byte("FWC87")) && !bytes.Contains(body, []byte("A20047")) && !bytes.Contains(body, []byte(`\u`)) {
			t.Errorf("an account without an organisation: %q", body)
		}
	})
}
