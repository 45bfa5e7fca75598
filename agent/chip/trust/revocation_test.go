package trust_test

import (
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/trust"
)

// days is a time some days from the reading.
func days(n int) time.Time { return read.AddDate(0, 0, n) }

func TestRevocation(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	e := evidence(t, s, issue.Order{Signed: signed}, nil)
	_, serial := s.Signer()
	on := []int64{5, serial}
	for _, c := range []struct {
		rule    string
		lists   []issue.Revocation
		silent  []string
		made    time.Time
		want    trust.Revocation
		checked bool
	}{
		{"none", nil, nil, made, trust.NoList, false},
		{"none-published", nil, []string{"UT"}, made, trust.NonePublished, true},
		{"none-published/old-bundle", nil, []string{"UT"}, days(-181), trust.NonePublished, false},
		{"none-published/another-state", nil, []string{"GB"}, made, trust.NoList, false},
		{"good", []issue.Revocation{{From: days(-10), Until: days(10), Serials: []int64{5}}}, nil, made, trust.NotRevoked, true},
		{"good/empty", []issue.Revocation{{From: days(-10), Until: days(10)}}, nil, made, trust.NotRevoked, true},
		{"good/without-end", []issue.Revocation{{From: days(-89)}}, nil, made, trust.NotRevoked, true},
		{"good/though-the-state-is-silent", []issue.Revocation{{From: days(-10), Until: days(10)}}, []string{"UT"}, made, trust.NotRevoked, true},
		{"stale", []issue.Revocation{{From: days(-40), Until: days(-1)}}, nil, made, trust.StaleList, true},
		{"stale/without-end", []issue.Revocation{{From: days(-91)}}, nil, made, trust.StaleList, true},
		{"stale/old-bundle", []issue.Revocation{{From: days(-40), Until: days(-1)}}, nil, days(-181), trust.StaleList, false},
		{"good-beside-stale", []issue.Revocation{{From: days(-40), Until: days(-1)}, {From: days(-10), Until: days(10)}}, nil, made, trust.NotRevoked, true},
		{"not-yet-made", []issue.Revocation{{From: days(3), Until: days(30)}}, nil, made, trust.IgnoredList, false},
		{"by-a-stranger", []issue.Revocation{{From: days(-10), Until: days(10), ByStranger: true}}, nil, made, trust.IgnoredList, false},
		{"by-a-stranger/lists-it", []issue.Revocation{{From: days(-10), Until: days(10), Serials: on, ByStranger: true}}, nil, made, trust.IgnoredList, false},
		{"signature-wrong", []issue.Revocation{{From: days(-10), Until: days(10), Serials: on, Unsigned: true}}, nil, made, trust.IgnoredList, false},
		{"changes-only", []issue.Revocation{{From: days(-10), Until: days(10), Number: 5, Delta: true}}, nil, made, trust.IgnoredList, false},
		{"revoked", []issue.Revocation{{From: days(-10), Until: days(10), Serials: on}}, nil, made, trust.WasRevoked, false},
		{"revoked/stale", []issue.Revocation{{From: days(-40), Until: days(-1), Serials: on}}, nil, made, trust.WasRevoked, false},
		{"revoked/changes-only", []issue.Revocation{{From: days(-10), Until: days(10), Serials: on, Number: 5, Delta: true}}, nil, made, trust.WasRevoked, false},
		{"revoked/gone-from-a-later-list", []issue.Revocation{{From: days(-40), Until: days(-1), Serials: on}, {From: days(-10), Until: days(10)}}, nil, made, trust.WasRevoked, false},
		{"on-hold", []issue.Revocation{{From: days(-10), Until: days(10), Serials: on, Reason: cert.Hold}}, nil, made, trust.WasRevoked, false},
		{"on-hold/released", []issue.Revocation{{From: days(-10), Until: days(10), Serials: on, Reason: cert.Hold},
			{From: days(-5), Until: days(10), Serials: on, Reason: cert.Removed, Number: 6, Delta: true}}, nil, made, trust.NotRevoked, true},
		{"on-hold/no-longer-listed", []issue.Revocation{{From: days(-5), Until: days(10)}, {From: days(-10), Until: days(10), Serials: on, Reason: cert.Hold}}, nil, made, trust.NotRevoked, true},
		{"authority", []issue.Revocation{{From: days(-10), Until: days(10), Serials: []int64{1}}}, nil, made, trust.WasRevoked, false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			contents := anchored(s)
			contents.Made, contents.Silent = c.made, c.silent
			for _, l := range c.lists {
				contents.CRLs = append(contents.CRLs, must[[]byte](t)(s.CRL(l)))
			}
			e := e
			e.Store = trust.New(contents)
			v := trust.Judge(e)
			if v.Facts.Revocation != c.want || v.Facts.RevocationChecked != c.checked {
				t.Errorf("got %s %t, want %s %t", v.Facts.Revocation, v.Facts.RevocationChecked, c.want, c.checked)
			}
			want, class := trust.Genuine, trust.Class("")
			if c.want == trust.WasRevoked {
				want, class = trust.Failed, trust.Revoked
			}
			if v.Word != want || v.Class != class {
				t.Errorf("got %s %s, want %s %s", v.Word, v.Class, want, class)
			}
			if done := v.State(trust.CheckRevocation) == trust.Done; done != (c.want == trust.NotRevoked || c.want == trust.StaleList || c.want == trust.NonePublished) {
				t.Errorf("check: got done %t", done)
			}
		})
	}
}

// TestListOfANewKey: after a change of key, and of name, the new key's list is for
// the old certificates too (9303-12 §7.1.4).
func TestListOfANewKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, name, oldName string
		want                trust.Word
	}{
		{"same-name", "", "", trust.Failed},
		{"new-name", "CSCA Two", "CSCA UT", trust.Failed},
		{"new-name/unsaid", "CSCA Two", "", trust.Genuine},
	} {
		s := state(t, issue.Config{})
		e := evidence(t, s, issue.Order{Signed: signed}, nil)
		contents := anchored(s)
		_, serial := s.Signer()
		link := must[[]byte](t)(s.Renew(days(-30), c.name))
		contents.Links = [][]byte{link}
		contents.CRLs = [][]byte{must[[]byte](t)(s.CRL(issue.Revocation{From: days(-2), Until: days(2), Serials: []int64{serial}, OldName: c.oldName}))}
		e.Store = trust.New(contents)
		if v := trust.Judge(e); v.Word != c.want {
			t.Errorf("%s: got %s %s, want %s", c.rule, v.Word, v.Reason, c.want)
		}
	}
}
