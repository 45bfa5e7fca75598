package outside

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/casework"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/nhs/pds"
	"github.com/counterproof/counterproof/agent/nhs/pdssim"
	"github.com/counterproof/counterproof/agent/nhs/provision"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/sync/wire"
)

func day(y, m, d int) proof.Date { return proof.Date{Year: y, Month: m, Day: d} }

func person(surname, given string, birth proof.Date) proof.Person {
	return proof.Person{Surname: proof.NewName(surname), Given: proof.NewName(given), Birth: birth}
}

// world simulates everything, with what is logged.
func world(t *testing.T) (*World, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	w, err := Simulate(source.Table{}, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return w, &log
}

// The people of the table, through the real clients and the simulated services.
func TestSimulatedPeople(t *testing.T) {
	t.Parallel()
	w, log := world(t)
	for _, c := range []struct {
		name      string
		person    proof.Person
		postcode  string
		record    nhs.Record
		live      bool
		provision casework.Disposition
	}{
		{"ordinary", person("SPECIMEN", "MORGAN WREN", day(1985, 3, 12)), "LS1 9QX", nhs.OneExact, false, casework.Done},
		{"no-postcode", person("VAUGHN", "TAL", day(1979, 6, 2)), "", nhs.OneExact, false, casework.Done},
		{"nobody", person("ASHGROVE", "LIV", day(1994, 2, 14)), "", nhs.NoMatch, false, ""},
		{"another-birth-date", person("VAUGHN", "TAL", day(1979, 6, 3)), "", nhs.NoMatch, false, ""},
		{"hidden", person("THORNE", "ISKA", day(1988, 12, 1)), "LS6 4GH", nhs.Stopped, true, casework.Final},
		{"dead", person("MARLOWE", "QUILL", day(1938, 1, 19)), "LS4 2CD", nhs.Stopped, false, casework.Final},
		{"withdrawn", person("BARROW", "JUN", day(1959, 9, 9)), "LS7 1JJ", nhs.NoMatch, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			claimed := casework.Claimed{Person: c.person, Postcode: c.postcode, ODS: "FWC87", Rec: wire.HashOf([]byte(c.name))}
			m, d := w.Records.Match(t.Context(), claimed)
			if d != nil || m.Record != c.record || m.Live != c.live || (m.Number == "") != (c.provision == "") {
				t.Fatalf("it comes to %s, live %t, number %t, %+v; want %s, %t", m.Record, m.Live, m.Number != "", d, c.record, c.live)
			}
			// The same question again, as after a crash.
			if again, d := w.Records.Match(t.Context(), claimed); d != nil || again != m {
				t.Errorf("asked again it comes to %+v, %+v", again, d)
			}
			if c.provision == "" {
				return
			}
			a := casework.Account{Number: m.Number, Birth: c.person.Birth, Email: c.name + "@example.org", Mobile: "07700 900" + string(m.Number[7:]), ODS: "PO123"}
			for range 2 {
				if got := w.Accounts.Provision(t.Context(), a); got.Disposition != c.provision {
					t.Errorf("an account is %s, want %s: %v", got.Disposition, c.provision, got.Err)
				}
			}
		})
	}
	for _, secret := range []string{"SPECIMEN", "VAUGHN", "THORNE", "99920", "LS6", "@example"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log tells %s", secret)
		}
	}
}

// What goes wrong with a service puts a case off, and people hear of what only
// they can put right.
func TestDelays(t *testing.T) {
	t.Parallel()
	w, _ := world(t)
	claimed := casework.Claimed{Person: person("VAUGHN", "TAL", day(1979, 6, 2))}
	w.PDS.Set(pdssim.Trouble{Status: http.StatusTooManyRequests, RetryAfter: time.Hour})
	if _, d := w.Records.Match(t.Context(), claimed); d == nil || d.Alarm || d.Wait != time.Hour {
		t.Errorf("too many requests are %+v", d)
	}
	w.PDS.Set(pdssim.Trouble{})
	w.Login.SetDown(true)
	a := casework.Account{Number: "9992000147", Birth: day(1979, 6, 2), Email: "tal@example.org", Mobile: "07700900123"}
	if got := w.Accounts.Provision(t.Context(), a); got.Disposition != casework.Retry {
		t.Errorf("a login that is down is %s", got.Disposition)
	}
	w.Login.SetDown(false)
	for name, c := range map[string]struct {
		change func(*casework.Account)
		want   casework.Disposition
	}{
		"e-mail": {func(a *casework.Account) { a.Email = "tal@" }, casework.FixContact},
		"mobile": {func(a *casework.Account) { a.Mobile = "01632 960001" }, casework.FixContact},
		"number": {func(a *casework.Account) { a.Number = "9992000148" }, casework.FixDetail},
		"birth":  {func(a *casework.Account) { a.Birth = day(1979, 13, 2) }, casework.FixDetail},
	} {
		changed := a
		c.change(&changed)
		if got := w.Accounts.Provision(t.Context(), changed); got.Disposition != c.want {
			t.Errorf("a wrong %s is %s, want %s", name, got.Disposition, c.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, d := w.Records.Match(ended, claimed); d == nil {
		t.Error("an ended context has an answer")
	}
}

// Every disposition and every kind has its meaning.
func TestMeanings(t *testing.T) {
	t.Parallel()
	for in, want := range map[provision.Disposition]casework.Disposition{
		provision.Done: casework.Done, provision.Retry: casework.Retry, provision.SlowDown: casework.SlowDown,
		provision.Final: casework.Final, provision.ConfigAlarm: casework.ConfigAlarm, provision.FixField: casework.FixDetail, "": casework.ConfigAlarm,
	} {
		if got := provisioned(provision.Answer{Disposition: in, Wait: time.Minute}); got.Disposition != want || got.Wait != time.Minute {
			t.Errorf("%s is %+v, want %s", in, got, want)
		}
	}
	for kind, alarm := range map[pds.Kind]bool{
		pds.Later: false, pds.Refused: true, pds.Input: true, pds.Unreadable: true, pds.NotFound: true,
	} {
		if d := delay(&pds.Fault{Kind: kind, After: time.Minute}); d.Alarm != alarm || d.Wait != time.Minute {
			t.Errorf("%s is %+v", kind, d)
		}
	}
	if d := delay(errors.New("no kind")); !d.Alarm {
		t.Error("what nobody knows is no alarm")
	}
	for _, record := range []nhs.Record{nhs.OnePartial, nhs.Many, nhs.NoMatch} {
		if m := match(pds.Result{Record: record, Patient: pds.Patient{Number: "9992000007"}}); m.Number != "" || m.Live {
			t.Errorf("%s gives a number on", record)
		}
	}
	if one, two := trace(wire.HashOf([]byte("a"))), trace(wire.HashOf([]byte("b"))); one == two || len(one) != 36 || one[14] != '8' {
		t.Errorf("traces %s and %s", one, two)
	}
}

// keyFile writes a PEM file.
func keyFile(t *testing.T, kind string, der []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKeys(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		t.Fatal(err)
	}
	eight, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	one := x509.MarshalPKCS1PrivateKey(key)
	for name, c := range map[string]struct {
		path string
		good bool
	}{
		"pkcs8":       {keyFile(t, "PRIVATE KEY", eight, 0o600), true},
		"pkcs1":       {keyFile(t, "RSA PRIVATE KEY", one, 0o600), true},
		"open-to-all": {keyFile(t, "RSA PRIVATE KEY", one, 0o644), false},
		"curve":       {keyFile(t, "PRIVATE KEY", other, 0o600), false},
		"rubbish":     {keyFile(t, "PRIVATE KEY", []byte("rubbish"), 0o600), false},
		"missing":     {filepath.Join(t.TempDir(), "none"), false},
	} {
		got, err := readKey(c.path)
		if (err == nil) != c.good || c.good && !got.Equal(key) {
			t.Errorf("%s: %v, want it read: %t", name, err, c.good)
		}
	}
}

// A configuration makes the clients; what could not work is refused.
func TestConfig(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		t.Fatal(err)
	}
	path := keyFile(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), 0o600)
	good := `{"pds":{"address":"https://pds.example/fhir"},"login":{"token_url":"https://login.example/token",` +
		`"provision_url":"https://login.example/provision-account","client_id":"us","key_file":"` + path + `"},"sites":{"PO123":"FWC87"}}`
	for name, c := range map[string]struct {
		text            string
		opens, accounts bool
	}{
		"all":           {good, true, true},
		"no-login":      {`{"pds":{"address":"https://pds.example/fhir"}}`, true, false},
		"no-pds":        {`{"sites":{}}`, false, false},
		"plain-http":    {`{"pds":{"address":"http://pds.example/fhir"}}`, false, false},
		"misspelt":      {`{"pds":{"adress":"https://pds.example/fhir"}}`, false, false},
		"no-key":        {strings.Replace(good, path, path+"x", 1), false, false},
		"no-client":     {strings.Replace(good, `"us"`, `""`, 1), false, false},
		"text-at-end":   {good + "{}", false, false},
		"no-JSON":       {"pds: here", false, false},
		"another-array": {"[]", false, false},
	} {
		file := filepath.Join(t.TempDir(), "services.json")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := ReadConfig(file)
		var s casework.Services
		if err == nil {
			s, err = Open(cfg, nil)
		}
		if (err == nil) != c.opens || (s.Accounts != nil) != c.accounts {
			t.Errorf("%s: %v, accounts %t", name, err, s.Accounts != nil)
		}
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file is %v", err)
	}
}

// The token is read for every question, so that a renewed one counts.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	var tokens []string
	service, err := pdssim.New(pdssim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	seen := http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
		service.ServeHTTP(a, r)
	})
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.Chmod(file, mode)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(Config{PDS: PDS{Address: local, TokenFile: file}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := pds.New(pds.Config{Address: local, Transport: within{seen}, Token: func(context.Context) (string, error) {
		text, err := os.ReadFile(file)
		return strings.TrimSpace(string(text)), err
	}})
	if err != nil || s.Records == nil {
		t.Fatal(err)
	}
	claimed := casework.Claimed{Person: person("VAUGHN", "TAL", day(1979, 6, 2))}
	for _, text := range []string{"one\n", "two\n"} {
		write(text, 0o600)
		if _, d := (records{client}).Match(t.Context(), claimed); d != nil {
			t.Fatalf("%+v", d)
		}
	}
	if len(tokens) < 2 || tokens[0] != "Bearer one" || tokens[len(tokens)-1] != "Bearer two" {
		t.Errorf("the tokens were %v", tokens)
	}
	// A token that others may read is not sent.
	write("three", 0o644)
	if _, d := s.Records.Match(t.Context(), claimed); d == nil {
		t.Error("a token file that is open to all is used")
	}
}

// Answers of a handler come through as over a line.
func TestWithin(t *testing.T) {
	t.Parallel()
	client := http.Client{Transport: within{http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.Header().Set("X-Path", r.URL.Path)
		a.WriteHeader(http.StatusTeapot)
		_, _ = a.Write(bytes.ToUpper(text))
	})}}
	resp, err := client.Post(local+"/a", "text/plain", strings.NewReader("tea"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "TEA" || resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-Path") != "/a" {
		t.Errorf("%d %q %v, %v", resp.StatusCode, body, resp.Header, err)
	}
}

// A configuration is a file of the operator's, and read as any other.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"pds":{"address":"https://pds.example/fhir"},"sites":{"PO123":"FWC87"}}`))
	f.Add([]byte(`{"pds":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, err := parse(text); err == nil && c.PDS.Address == "" {
			t.Errorf("%q names no service", text)
		}
	})
}
