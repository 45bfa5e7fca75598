package provision

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCodes: a code is known under each usual key, as a word or as a number, and
// under whatever status of a client's fault it comes.
func TestCodes(t *testing.T) {
	t.Parallel()
	for _, row := range table(t, "codes.txt") {
		code := row[0]
		for _, body := range []string{
			`{"error_code":"` + code + `"}`, `{"error_code":` + code + `}`, `{"code":"` + code + `"}`,
			`{"error":"` + code + `","error_description":"x"}`, ` {"errorCode":"` + code + `","result":"create"} `,
		} {
			for _, status := range []int{200, 400, 403, 409, 429} {
				a := judge(status, 0, []byte(body))
				if string(a.Disposition) != row[1] || a.Code != code || a.Err != nil {
					t.Errorf("%s with %d: got %+v, want %s", body, status, a, row[1])
				}
				if told := string(a.Result) + string(a.Field); told != strings.Trim(row[2], "-") {
					t.Errorf("%s with %d: got %q, want %s", body, status, told, row[2])
				}
			}
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   Disposition
		result Result
	}{
		{"create", 200, `{"result":"create"}`, Done, Created},
		{"create/201", 201, `{"outcome":"create","provisioning_id":"x"}`, Done, Created},
		{"uplift", 200, `{"action":"uplift"}`, Done, Uplifted},
		{"nothing-said", 200, `{}`, Retry, ""},
		{"empty", 204, ``, Retry, ""},
		{"page", 200, `<html>create</html>`, Retry, ""},
		{"cut-off", 200, `{"result":"create"`, Retry, ""},
		{"two-objects", 200, `{"result":"create"}{}`, Retry, ""},
		{"list", 200, `["create"]`, Retry, ""},
		{"other-word", 200, `{"result":"created"}`, Retry, ""},
		{"capital", 200, `{"result":"CREATE"}`, Retry, ""},
		{"other-key", 200, `{"message":"create"}`, Retry, ""},
		{"our-own-word-is-not-theirs", 200, `{"result":"duplicate"}`, Retry, ""},
		{"nested", 200, `{"result":{"result":"create"}}`, Retry, ""},
		{"create-but-failing", 500, `{"result":"create"}`, Retry, ""},
		{"create-but-refused", 400, `{"result":"create"}`, ConfigAlarm, ""},
		{"create-but-code", 200, `{"result":"create","error_code":"11004"}`, FixField, ""},
		{"done-code-but-failing", 503, `{"error_code":"11005"}`, Retry, ""},
		{"final-code-though-failing", 500, `{"error_code":"11001"}`, Final, ""},
		{"unknown-code", 400, `{"error_code":"11012"}`, ConfigAlarm, ""},
		{"code-in-a-sentence", 400, `{"error":"code 11005"}`, ConfigAlarm, ""},
		{"code-as-fraction", 400, `{"error_code":11005.0}`, ConfigAlarm, ""},
		{"not-found", 404, ``, ConfigAlarm, ""},
		{"forbidden", 403, ``, ConfigAlarm, ""},
		{"time-out", 408, ``, Retry, ""},
		{"too-many", 429, ``, SlowDown, ""},
		{"gateway", 502, `<html>`, Retry, ""},
		{"informational", 101, ``, ConfigAlarm, ""},
	} {
		a := judge(c.status, 0, []byte(c.body))
		if a.Disposition != c.want || a.Result != c.result {
			t.Errorf("%s: got %+v, want %s %s", c.name, a, c.want, c.result)
		}
	}
	if a := judge(400, 0, []byte(`{"error_code":"11010","field":"date_of_birth"}`)); a.Field != DateOfBirth {
		t.Errorf("got field %q", a.Field)
	}
	if a := judge(400, 0, []byte(`{"error_code":"11010","field":"shoe_size"}`)); a.Field != "" {
		t.Errorf("got field %q that there is not", a.Field)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"":                              0,
		"soon":                          0,
		"-5":                            0,
		"1.5":                           0,
		"0":                             0,
		"90":                            90 * time.Second,
		"99999999":                      maxWait,
		"99999999999999999999":          0,
		"Sun, 22 Nov 2026 09:35:00 GMT": 5 * time.Minute,
		"Sun, 22 Nov 2026 09:00:00 GMT": 0,
		"Mon, 22 Nov 2027 09:00:00 GMT": maxWait,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, start); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	a := ask(t, service(http.StatusTooManyRequests, http.Header{"Retry-After": {"120"}}, `{"error_code":"11011"}`))
	if a.Disposition != SlowDown || a.Wait != 2*time.Minute {
		t.Errorf("got %+v, want to slow down for two minutes", a)
	}
}

func TestReadToken(t *testing.T) {
	t.Parallel()
	for expires, want := range map[string]time.Duration{
		``:                                   290 * time.Second,
		`,"expires_in":300`:                  290 * time.Second,
		`,"expires_in":60`:                   50 * time.Second,
		`,"expires_in":86400`:                290 * time.Second,
		`,"expires_in":0`:                    -10 * time.Second,
		`,"expires_in":-9223372036854775808`: -10 * time.Second,
		`,"expires_in":9223372036854775807`:  290 * time.Second,
	} {
		got, ok := readToken([]byte(`{"access_token":"a.b-c_d~e+f/g=","token_type":"bearer"`+expires+`}`), start)
		if !ok || got.until.Sub(start) != want {
			t.Errorf("%s: good for %s (%v), want %s", expires, got.until.Sub(start), ok, want)
		}
	}
}

// FuzzAnswer: whatever a service answers is decided about in closed words, and
// done is only what says so.
func FuzzAnswer(f *testing.F) {
	for code := range meanings {
		f.Add(400, []byte(`{"error_code":"`+code+`"}`))
		f.Add(200, []byte(`{"code":`+code+`,"field":"phone_number"}`))
	}
	f.Add(200, []byte(`{"result":"create","provisioning_id":"x"}`))
	f.Add(200, []byte(`{"type":"uplift"}`))
	f.Add(503, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := judge(status, 0, body)
		switch a.Disposition {
		case Retry, SlowDown, FixField, ConfigAlarm, Final:
			if a.Result != "" {
				t.Errorf("%s with result %q", a.Disposition, a.Result)
			}
		case Done:
			said := strings.Contains(string(body), "create") || strings.Contains(string(body), "uplift") ||
				strings.Contains(string(body), "11003") || strings.Contains(string(body), "11005") ||
				strings.Contains(string(body), `\u`)
			if !said || status >= 500 || a.Result == "" {
				t.Errorf("done by %d %q", status, body)
			}
		default:
			t.Errorf("got %q", a.Disposition)
		}
		if a.Field != "" && !slices.Contains(fields, a.Field) {
			t.Errorf("got field %q", a.Field)
		}
		if _, known := meanings[a.Code]; a.Code != "" && !known {
			t.Errorf("got code %q", a.Code)
		}
	})
}

// FuzzToken: a token that is taken can stand in a header and is not kept for
// longer than five minutes.
func FuzzToken(f *testing.F) {
	f.Add([]byte(`{"access_token":"abc","token_type":"Bearer","expires_in":300}`))
	f.Add([]byte(`{"access_token":"a\nb","token_type":"Bearer","expires_in":-1}`))
	f.Add([]byte(`{"error":"invalid_client"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := readToken(body, start)
		if ok && (got.bearer == "" || strings.ContainsAny(got.bearer, " \r\n\x00\"") || got.until.Sub(start) > tokenLife) {
			t.Errorf("took %q until %s", got.bearer, got.until)
		}
	})
}
