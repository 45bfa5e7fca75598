package casework

import (
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/sync/wire"
)

// scene is a case from its records to its end, with what its site is told.
type scene struct {
	name string
	play func(t *testing.T, r *rig) wire.Ref
	want []wire.NoticeKind
}

// sent plays a visit and works it to its end.
func sent(v func(t *testing.T) visit) func(*testing.T, *rig) wire.Ref {
	return func(t *testing.T, r *rig) wire.Ref {
		ref := r.send(v(t))
		r.settle()
		return ref
	}
}

// of is a golden visit of a person with contact details.
func of(name string, who proof.Person) func(*testing.T) visit {
	return func(t *testing.T) visit { return visit{events: golden(t, name), who: who, prefs: contact} }
}

// carded is a visit with a photo card under ultraviolet light.
func carded(who proof.Person, number string) func(*testing.T) visit {
	return func(t *testing.T) visit { return visit{events: card(t, who, number, true), prefs: contact} }
}

// with changes a visit.
func with(v func(*testing.T) visit, change func(*visit)) func(*testing.T) visit {
	return func(t *testing.T) visit {
		out := v(t)
		change(&out)
		return out
	}
}

// alone is a visit of somebody who gives no contact details.
func alone(v func(*testing.T) visit) func(*testing.T) visit {
	return with(v, func(v *visit) { v.prefs = nil })
}

// wishing is a visit of somebody with wishes.
func wishing(v func(*testing.T) visit, p proof.PreferencesGiven) func(*testing.T) visit {
	return with(v, func(v *visit) { v.prefs = &p })
}

// letterOf is a visit with the codes of a letter of the simulator's practice.
func codes(key string) func(*testing.T) visit {
	return with(of("practice-pending", weir), func(v *visit) {
		v.edit = func(f proof.Fact) proof.Fact {
			if p, is := f.(proof.PracticeDetailsGiven); is {
				p.Key = key
				return p
			}
			return f
		}
	})
}

// older has the comparison made by somebody who was trained two years ago, which
// is worth 2.
func older(v *visit) {
	old := trained
	old.Impostor = day(2024, 6, 1)
	v.edit = func(f proof.Fact) proof.Fact {
		switch f := f.(type) {
		case proof.VisitStarted:
			f.Operator = old
			return f
		case proof.DocumentExamined:
			f.Trained = old
			return f
		case proof.PersonCompared:
			f.Trained = old
			return f
		}
		return f
	}
}

const rightKey = "YCRPyPSEUARw5"

func scenes() []scene {
	is := func(kinds ...wire.NoticeKind) []wire.NoticeKind { return kinds }
	return slices.Concat(levelScenes(is), peopleScenes(is), accountScenes(is), joinScenes(is))
}

func levelScenes(is func(...wire.NoticeKind) []wire.NoticeKind) []scene {
	return []scene{
		{"level/raised", sent(of("photo-proved", morgan)), is("final_raised", "nhs_p9", "account_ready")},
		{"level/raised-higher", sent(of("photo-under-uv", morgan)), is("final_raised", "nhs_p9", "account_ready")},
		{"level/kept", sent(carded(unknown, "A1")), is("final_kept", "nhs_p0")},
		{"level/by-licence", sent(of("licence-proved", morgan)), is("final_raised", "nhs_p9", "account_ready")},
		{"level/not-proved", sent(of("photo-not-proved", morgan)), is("more_needed")},
		{"level/not-proved-but-known", sent(alone(of("certificates-only", morgan))), is("more_needed", "letter_sent")},
		{"level/abandoned", sent(of("photo-abandoned", morgan)), nil},
		{"nhs/p5-compared-long-after-training", sent(with(carded(wren, "A2"), older)), is("final_raised", "nhs_p5")},
		{"nhs/none", sent(wishing(carded(unknown, "A3"), proof.PreferencesGiven{Email: "liv@unconfirmed.example", Mobile: "+447700900124"})), is("final_kept", "nhs_none")},
		{"nhs/hidden-looks-like-none", sent(wishing(carded(hidden, "A4"), proof.PreferencesGiven{Email: "iska@unconfirmed.example", Mobile: "+447700900125"})), is("final_raised", "nhs_none")},
		{"details/accepted", sent(codes(rightKey)), is("details_accepted", "nhs_p9", "account_ready")},
		{"details/refused", sent(codes("YCRPyPSEUARu6")), is("details_refused")},
		{"details/pending-then-accepted", func(t *testing.T, r *rig) wire.Ref {
			r.sim.SetDown(source.SimPractice, true)
			ref := r.send(codes(rightKey)(t))
			r.work()
			r.expect(ref, "details_pending")
			r.sim.SetDown(source.SimPractice, false)
			r.settle()
			return ref
		}, is("details_pending", "details_accepted", "nhs_p9", "account_ready")},
		{"practice/nothing-brought", sent(of("practice-none", weir)), is("more_needed", "letter_sent")},
		{"recall/damaged", func(t *testing.T, r *rig) wire.Ref {
			ref := r.send(visit{damaged: true})
			r.settle()
			return ref
		}, is("recall")},
	}
}

func peopleScenes(is func(...wire.NoticeKind) []wire.NoticeKind) []scene {
	decided := func(v func(*testing.T) visit, kinds ...wire.NoticeKind) func(*testing.T, *rig) wire.Ref {
		return func(t *testing.T, r *rig) wire.Ref {
			ref := r.send(v(t))
			r.settle()
			for _, k := range kinds {
				r.decide(ref, k)
			}
			return ref
		}
	}
	return []scene{
		{"review/open", decided(of("photo-review", morgan)), is("review_open")},
		{"review/concern-looks-the-same", decided(of("photo-concern", morgan)), is("review_open")},
		{"review/passed", decided(of("photo-concern", morgan), "review_passed"), is("review_open", "review_passed", "final_raised", "nhs_p9", "letter_sent")},
		{"review/failed", decided(of("photo-concern", morgan), "review_failed"), is("review_open", "review_failed", "letter_sent")},
		{"review/stolen-identity", decided(carded(stolen, "B1")), is("review_open")},
		{"review/finding-of-the-opener", decided(with(of("photo-proved", morgan), func(v *visit) { v.findings = []proof.Code{"claims_differ"} })), is("review_open")},
		{"review/finding-passed", decided(with(of("photo-proved", morgan), func(v *visit) { v.findings = []proof.Code{"rescored_differently"} }), "review_passed"),
			is("review_open", "review_passed", "final_raised", "nhs_p9", "account_ready")},
		{"proxy/child", decided(alone(of("proxy-child", proof.Person{}))), is("proxy_submitted", "letter_sent")},
		{"proxy/adult", decided(of("proxy-adult", proof.Person{})), is("proxy_submitted", "final_raised", "nhs_p9", "account_ready")},
		{"proxy/granted-suspended-ended", decided(of("proxy-child", proof.Person{}), "proxy_granted", "proxy_suspended", "proxy_ended"),
			is("proxy_submitted", "proxy_granted", "proxy_suspended", "proxy_ended")},
		{"proxy/refused", decided(of("proxy-child", proof.Person{}), "proxy_refused", "proxy_granted"), is("proxy_submitted", "proxy_refused")},
		{"proxy/withdrawn-by-patient", decided(of("proxy-withdrawn", proof.Person{})), is("proxy_withdrawn", "final_raised", "nhs_p9", "account_ready")},
		{"proxy/not-asked-for-well", decided(of("proxy-refused", proof.Person{})), nil},
		{"proxy/not-alone-passed", decided(of("proxy-not-alone", proof.Person{}), "review_passed"), is("review_open", "review_passed", "proxy_submitted", "nhs_p5", "letter_sent")},
		{"vouch/pending-raised", decided(of("vouch-pending", proof.Person{})), is("final_raised", "nhs_p5")},
		{"vouch/withdrawn", decided(of("vouch-pending", proof.Person{}), "vouch_withdrawn"), is("final_raised", "nhs_p5", "vouch_withdrawn", "final_lowered", "more_needed")},
		{"vouch/too-weak", decided(alone(of("vouch-too-weak", proof.Person{}))), is("more_needed", "letter_sent")},
		{"decision/fits-no-case", decided(of("photo-proved", morgan), "review_passed", "vouch_withdrawn", "proxy_granted"), is("final_raised", "nhs_p9", "account_ready")},
	}
}

func accountScenes(is func(...wire.NoticeKind) []wire.NoticeKind) []scene {
	answered := func(answers ...Provisioned) func(*testing.T, *rig) wire.Ref {
		return func(t *testing.T, r *rig) wire.Ref {
			r.logins.answers = answers
			ref := r.send(of("photo-proved", morgan)(t))
			r.settle()
			return ref
		}
	}
	large := proof.PreferencesGiven{Written: "large_print", Contact: "letter", Language: "cy"}
	both := *contact
	both.Language, both.Pharmacy = "cy", "FWC87"
	return []scene{
		{"account/retried-until-there", answered(Provisioned{Disposition: Retry}, Provisioned{Disposition: SlowDown, Wait: time.Hour}, Provisioned{Disposition: ConfigAlarm}),
			is("final_raised", "nhs_p9", "account_ready")},
		{"account/refused", answered(Provisioned{Disposition: Final}), is("final_raised", "nhs_p9", "account_refused")},
		{"account/detail", answered(Provisioned{Disposition: FixDetail}), is("final_raised", "nhs_p9", "account_refused")},
		{"account/contact-needed", answered(Provisioned{Disposition: FixContact}), is("final_raised", "nhs_p9", "contact_needed")},
		{"wishes/applied", sent(wishing(of("photo-proved", morgan), both)), is("final_raised", "nhs_p9", "wishes_applied", "account_ready")},
		{"wishes/refused-without-a-level", sent(wishing(carded(unknown, "C1"), both)), is("final_kept", "nhs_p0", "wishes_refused")},
		{"wishes/p5-is-enough", sent(wishing(with(carded(wren, "C2"), older), both)), is("final_raised", "nhs_p5", "wishes_applied")},
		{"letter/nobody-to-ring", sent(alone(of("photo-proved", morgan))), is("final_raised", "nhs_p9", "letter_sent")},
		{"letter/wanted", sent(wishing(of("photo-proved", morgan), large)), is("final_raised", "nhs_p9", "wishes_applied", "letter_sent")},
		{"claim/ready", sent(alone(with(of("photo-proved", morgan), func(v *visit) { v.token = firstCode }))), is("final_raised", "nhs_p9", "claim_ready", "letter_sent")},
		{"claim/not-at-p5", sent(alone(with(carded(wren, "C3"), func(v *visit) { older(v); v.token = firstCode }))), is("final_raised", "nhs_p5", "letter_sent")},
	}
}

// redeeming is a visit in which a token is brought.
func redeeming(token string, days int) func(*testing.T) visit {
	return func(t *testing.T) visit {
		return visit{events: golden(t, "claim-redeemed"), agent: "agent-9", site: "PO123", days: days, edit: func(f proof.Fact) proof.Fact {
			if c, is := f.(proof.ClaimRedeemed); is {
				c.Token = token
				return c
			}
			return f
		}}
	}
}

func joinScenes(is func(...wire.NoticeKind) []wire.NoticeKind) []scene {
	// tokened is the visit whose token is redeemed.
	tokened := alone(with(of("photo-proved", morgan), func(v *visit) { v.token = firstCode }))
	redeemed := func(token string, days, tries int) func(*testing.T, *rig) wire.Ref {
		return func(t *testing.T, r *rig) wire.Ref {
			r.send(tokened(t))
			r.settle()
			var ref wire.Ref
			for range tries {
				ref = r.send(redeeming(token, days)(t))
				r.settle()
			}
			return ref
		}
	}
	continued := func(first, second func(*testing.T) visit) func(*testing.T, *rig) wire.Ref {
		return func(t *testing.T, r *rig) wire.Ref {
			before := r.send(first(t))
			r.settle()
			now := second(t)
			now.continues, now.agent, now.site, now.days = before, "agent-9", "FA123", 1
			ref := r.send(now)
			r.settle()
			return ref
		}
	}
	code := string(firstCode)
	return []scene{
		{"claim/used", redeemed(code, 1, 1), is("claim_used", "account_ready")},
		{"claim/second-try", redeemed(code, 1, 2), is("claim_refused")},
		{"claim/third-try", redeemed(code, 1, 3), is("claim_refused")},
		{"claim/expired", redeemed(code, claim.Days+1, 1), is("claim_refused")},
		{"claim/last-day", redeemed(code, claim.Days, 1), is("claim_used", "account_ready")},
		{"claim/unknown", redeemed(string(claim.New([10]byte{9})), 1, 1), is("claim_refused")},
		{"claim/none", redeemed("TOKEN", 1, 1), is("claim_refused")},
		{"join/second-site", continued(alone(of("certificates-only", morgan)), of("licence-proved", morgan)), is("joined", "final_raised", "nhs_p9", "account_ready")},
		{"join/nobody-before", continued(of("photo-not-proved", morgan), of("licence-proved", morgan)), is("final_raised", "nhs_p9", "account_ready")},
		{"join/another-person", continued(of("licence-proved", weir), of("licence-proved", morgan)), is("not_joined", "final_raised", "nhs_p9", "account_ready")},
		{"join/held-back", continued(of("photo-concern", morgan), of("licence-proved", morgan)), is("not_joined", "final_raised", "nhs_p9", "account_ready")},
	}
}

// Between them the scenes cause every kind of news that there is.
func TestEveryKindIsCaused(t *testing.T) {
	t.Parallel()
	var caused []wire.NoticeKind
	for _, s := range scenes() {
		caused = append(caused, s.want...)
	}
	for _, k := range wire.NoticeKinds() {
		if !slices.Contains(caused, k) {
			t.Errorf("nothing causes %s", k)
		}
	}
}

func TestScenes(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.expect(s.play(t, r), s.want...)
			})
		})
	}
}
