package casework

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/sync/wire"
)

// While anything does not answer, nothing final is said; once all does, it is.
func TestDown(t *testing.T) {
	t.Parallel()
	final := []wire.NoticeKind{"final_raised", "nhs_p9", "account_ready"}
	for name, down := range map[string]func(r *rig, down bool){
		"fraud":    func(r *rig, down bool) { r.sim.SetDown(source.SimRegister, down) },
		"second":   func(r *rig, down bool) { r.sim.SetDown(source.SimSecond, down) },
		"contacts": func(r *rig, down bool) { r.sim.SetDown(source.SimContacts, down) },
		"records": func(r *rig, down bool) {
			r.records.delay = nil
			if down {
				r.records.delay = &Delay{Wait: 2 * time.Hour}
			}
		},
		"records-misconfigured": func(r *rig, down bool) {
			r.records.delay = nil
			if down {
				r.records.delay = &Delay{Alarm: true, Err: errors.New("refused")}
			}
		},
		"centre": func(r *rig, down bool) {
			r.w.fresh = map[wire.Hash]Opened{}
			r.archive.away = down
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				ref := r.send(of("photo-proved", morgan)(t))
				down(r, true)
				for range 5 {
					r.work()
					r.expect(ref)
					time.Sleep(time.Until(r.w.next()))
				}
				if e := r.entry(ref); e.tries != 5 || e.ruling != nil || e.stage != stageDue {
					t.Errorf("after five tries: %d, %+v", e.tries, e.ruling)
				}
				down(r, false)
				r.settle()
				r.expect(ref, final...)
			})
		})
	}
}

// Each wait is longer than the one before, up to a bound, and never shorter than
// what the other side asks for.
func TestWaits(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ref := r.send(of("photo-proved", morgan)(t))
		r.sim.SetDown(source.SimRegister, true)
		var waits []time.Duration
		for range 12 {
			r.work()
			waits = append(waits, time.Until(r.w.next()).Round(time.Second))
			time.Sleep(time.Until(r.w.next()))
		}
		if !slices.IsSorted(waits) || waits[0] != firstWait || waits[1] != 2*firstWait || waits[11] != longWait {
			t.Errorf("the waits are %v", waits)
		}
		asked := r.sim.Asked()
		time.Sleep(-time.Until(r.w.next()) + time.Hour)
		r.work() // not due yet
		if time.Sleep(time.Minute); r.sim.Asked() != asked && r.entry(ref).tries == 12 {
			t.Error("a case that waits is worked")
		}
		r.sim.SetDown(source.SimRegister, false)
		r.records.delay = &Delay{Wait: 24 * time.Hour}
		time.Sleep(longWait)
		r.work()
		if got := time.Until(r.w.next()).Round(time.Second); got != 24*time.Hour {
			t.Errorf("told to wait a day, it waits %s", got)
		}
	})
}

// Records that must stay hidden look, to the site, exactly as no record does; the
// people who review see a case.
func TestStoppedRecordsLookLikeNone(t *testing.T) {
	t.Parallel()
	unconfirmed := proof.PreferencesGiven{Email: "a@unconfirmed.example", Mobile: "+447700900126"}
	for name, who := range map[string]proof.Person{"hidden": hidden, "withdrawn": withdrawn} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				ref := r.send(wishing(carded(who, "D1"), unconfirmed)(t))
				r.settle()
				r.sim.Table() // the same person without a record at all
				for i := range r.records.people {
					r.records.people[i].Number = ""
				}
				control := r.send(with(wishing(carded(who, "D1"), unconfirmed), func(v *visit) { v.agent = "agent-9" })(t))
				r.settle()
				if a, b := r.archive.told[ref], r.archive.told[control]; !slices.Equal(a, b) || !slices.Contains(a, wire.NoticeNHSNone) {
					t.Errorf("with the record the site hears %v, without one %v", a, b)
				}
				if e := r.entry(ref); e.stage != stageReview || !slices.Equal(e.review, []proof.Code{codeRecordStopped}) {
					t.Errorf("the case is %s for %v", e.stage, e.review)
				}
				if e := r.entry(control); e.stage != stageClosed {
					t.Errorf("no record is %s", e.stage)
				}
				if r.logins.asked != 0 {
					t.Error("an account was asked for")
				}
			})
		})
	}
}

// A practice's word does not open a hidden record either.
func TestStoppedRecordWithDetails(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for i, p := range r.records.people {
			if p.Surname == "WEIR" {
				r.records.people[i].Record = "restricted"
			}
		}
		ref := r.send(codes(rightKey)(t))
		r.settle()
		r.expect(ref, "details_accepted", "nhs_none", "more_needed")
		if r.logins.asked != 0 || r.entry(ref).stage != stageReview {
			t.Error("an account was asked for, or nobody reviews")
		}
	})
}

// People may release a hidden record of somebody alive, and no other.
func TestReleaseOfAStoppedRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		who      proof.Person
		released bool
	}{"hidden": {hidden, true}, "withdrawn": {withdrawn, false}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				ref := r.send(carded(c.who, "D2")(t))
				r.settle()
				r.decide(ref, wire.NoticeReviewPassed)
				if got := slices.Contains(r.archive.told[ref], wire.NoticeAccountReady); got != c.released || (r.logins.created == 1) != c.released {
					t.Errorf("after the review the site was told %v, %d accounts", r.archive.told[ref], r.logins.created)
				}
				if slices.Contains(r.archive.told[ref], wire.NoticeReviewOpen) {
					t.Error("the site heard of the review")
				}
			})
		})
	}
}

// Somebody dead by a fraud source is a review like any other.
func TestDeceasedByASource(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ref := r.send(carded(deceased, "D3")(t))
		r.settle()
		r.expect(ref, "review_open")
		held, err := Reviews(r.dir)
		if err != nil || len(held) != 1 || held[0].Ref != ref || !slices.Contains(held[0].Codes, source.CodeDeceased) {
			t.Errorf("people see %+v, %v", held, err)
		}
	})
}

// A practice that issued details for one patient and a record of another is for
// people: somebody has another person's letter.
func TestDetailsOfAnotherPatient(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for i, p := range r.records.people {
			if p.Surname == "WEIR" {
				r.records.people[i].Number = "9992001682"
			}
		}
		ref := r.send(codes(rightKey)(t))
		r.settle()
		r.expect(ref, "review_open")
		if e := r.entry(ref); !slices.Equal(e.review, []proof.Code{codeRecordDiffers}) {
			t.Errorf("held for %v", e.review)
		}
	})
}

// A document on a list of lost ones holds the case; when people let it pass, the
// document still counts for nothing.
func TestLostDocument(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		world := r.sim.Table()
		world.Documents = append(world.Documents, source.Issued{Type: "eu_dl", Issuer: "IRL", Number: "LOST1", Surname: "PIKE", Birth: "1982-08-08", State: "lost"})
		sim, err := source.NewSimulator(world)
		if err != nil {
			t.Fatal(err)
		}
		r.cfg.Sources = sim.Sources()
		r.open()
		ref, control := r.send(carded(pike, "LOST1")(t)), r.send(carded(pike, "FOUND1")(t))
		r.settle()
		r.expect(ref, "review_open")
		if e := r.entry(ref); !slices.Contains(e.review, codeDocumentHit) {
			t.Errorf("held for %v", e.review)
		}
		r.expect(control, "final_raised", "nhs_p9", "account_ready")
		r.decide(ref, wire.NoticeReviewPassed)
		if told := r.archive.told[ref]; !slices.Contains(told, wire.NoticeFinalLowered) || slices.Contains(told, wire.NoticeNHSP9) {
			t.Errorf("a lost document that people let pass comes to %v", told)
		}
	})
}

// The account of a redeemed token is the proved person's, with the contact
// details of whoever brings it, for the organisation that the site acts for.
func TestRedeemedAccount(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		owner := r.send(alone(with(of("photo-proved", morgan), func(v *visit) { v.token = firstCode }))(t))
		r.settle()
		if r.logins.asked != 0 {
			t.Fatal("an account was asked for before the token was redeemed")
		}
		tries := []wire.Ref{}
		for i := range 3 {
			tries = append(tries, r.send(redeeming(strings.ToLower(string(firstCode)), 1+i)(t)))
			r.settle()
		}
		r.expect(tries[0], "claim_used", "account_ready")
		r.expect(tries[1], "claim_refused")
		r.expect(tries[2], "claim_refused")
		r.expect(owner, "final_raised", "nhs_p9", "claim_ready", "letter_sent", "claim_used")
		want := Account{Number: "9992000007", Birth: morgan.Birth, Email: "wren@example.org", Mobile: "+447700900123", ODS: "FWC87"}
		if r.logins.created != 1 || r.logins.asked != 1 || r.logins.made["9992000007"] != want {
			t.Errorf("%d accounts, asked %d times: %+v", r.logins.created, r.logins.asked, r.logins.made)
		}
	})
}

// A token whose own visit is not decided yet is waited for, not refused.
func TestTokenComesBeforeItsVisitIsDecided(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.sim.SetDown(source.SimSecond, true)
		r.send(alone(with(of("photo-proved", morgan), func(v *visit) { v.token = firstCode }))(t))
		r.work()
		ref := r.send(redeeming(string(firstCode), 1)(t))
		r.work()
		r.expect(ref)
		r.sim.SetDown(source.SimSecond, false)
		r.settle()
		r.expect(ref, "claim_used", "account_ready")
	})
}

// Contact details that NHS login does not take use no token up.
func TestTokenIsReleased(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.send(alone(with(of("photo-proved", morgan), func(v *visit) { v.token = firstCode }))(t))
		r.settle()
		r.logins.answers = []Provisioned{{Disposition: Retry}, {Disposition: FixContact}}
		first := r.send(redeeming(string(firstCode), 1)(t))
		r.work() // waits
		second := r.send(redeeming(string(firstCode), 1)(t))
		r.work()
		r.expect(first)
		r.expect(second, "claim_refused") // the first try goes on
		r.settle()
		r.expect(first, "contact_needed")
		third := r.send(redeeming(string(firstCode), 2)(t))
		r.settle()
		r.expect(third, "claim_used", "account_ready")
		if r.logins.created != 1 {
			t.Errorf("%d accounts", r.logins.created)
		}
	})
}

// A record that must stay hidden by the day of the redeeming gives no account.
func TestTokenOfARecordThatStoppedSince(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.send(alone(with(of("photo-proved", morgan), func(v *visit) { v.token = firstCode }))(t))
		r.settle()
		r.records.people[0].Record = "deceased"
		ref := r.send(redeeming(string(firstCode), 1)(t))
		r.settle()
		r.expect(ref, "account_refused")
		if r.logins.asked != 0 {
			t.Error("an account was asked for")
		}
	})
}

// A token of a case that people did not let pass is refused.
func TestTokenOfAFailedReview(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		v := alone(with(of("photo-proved", morgan), func(v *visit) { v.token = firstCode }))
		owner := r.send(with(v, func(v *visit) { v.who = proof.Person{} })(t))
		r.records.people[0].Record = "restricted"
		r.settle()
		ref := r.send(redeeming(string(firstCode), 1)(t))
		r.settle()
		r.expect(ref, "claim_refused")
		r.decide(owner, wire.NoticeReviewFailed)
		again := r.send(redeeming(string(firstCode), 1)(t))
		r.settle()
		r.expect(again, "claim_refused")
	})
}

// An earlier visit may lie in the queue of a counter without a line.
func TestWaitingForTheEarlierVisit(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		later := wire.RecordID{200, 1}.Ref()
		v := of("licence-proved", morgan)(t)
		v.continues = later
		ref := r.send(v)
		r.work()
		r.expect(ref)
		time.Sleep(10 * time.Hour)
		first := alone(of("certificates-only", morgan))(t)
		first.name = 200
		r.send(first)
		r.settle()
		r.expect(ref, "joined", "final_raised", "nhs_p9", "account_ready")
		v.continues = wire.RecordID{201, 1}.Ref()
		never := r.send(v)
		begin := time.Now()
		r.settle()
		r.expect(never, "not_joined", "final_raised", "nhs_p9", "account_ready")
		if waited := time.Since(begin); waited < patience || waited > patience+longWait {
			t.Errorf("it waited %s for a visit that never came", waited)
		}
	})
}

// Evidence of three visits counts together; that of somebody else who has the
// same reference does not.
func TestChainOfVisits(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		stranger := of("licence-proved", weir)(t)
		stranger.name = 1
		first := alone(of("certificates-only", morgan))(t)
		first.name = 1
		r.send(stranger)
		before := r.send(first)
		r.settle()
		second := alone(of("certificates-only", morgan))(t)
		second.continues, second.days = before, 1
		middle := r.send(second)
		r.settle()
		if !slices.Contains(r.archive.told[middle], wire.NoticeJoined) {
			t.Fatalf("the second visit was told %v", r.archive.told[middle])
		}
		third := of("licence-proved", morgan)(t)
		third.continues, third.days = middle, 2
		r.archive.fetched = 0
		ref := r.send(third)
		r.settle()
		r.expect(ref, "joined", "final_raised", "nhs_p9", "account_ready")
		if r.archive.fetched != 3 { // the middle one, the stranger's, the first
			t.Errorf("%d records were fetched", r.archive.fetched)
		}
	})
}

// What is known of a voucher from their own visit counts once that is final.
func TestVoucherWithAProofingOfTheirOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		voucher proof.Person
		present bool
		want    proof.Level
	}{"own": {tal, true, proof.High}, "of-another-person": {pike, true, proof.Medium}, "quoted-in-a-letter": {tal, false, proof.Medium}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				own := r.send(carded(c.voucher, "E1")(t))
				r.settle()
				paper := golden(t, "vouch-on-paper")
				for i, e := range paper {
					if g, is := e.Fact.(proof.VouchGiven); is {
						g.Proofing, g.Present = proof.Ref(own), c.present
						paper[i].Fact = g
					}
				}
				outcome := proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Proved, NHS: proof.NHSNone}}
				facts := events(outcome,
					proof.EvidenceChosen{Type: "bus_pass", Form: proof.ByField, Photo: true},
					proof.EvidenceEntered{Source: proof.FromKeys, Person: morgan, Number: "B1", Issuer: "GBR", Expires: day(2031, 1, 4)},
					proof.DocumentExamined{Original: true, Details: proof.Agree, Features: loadPolicy(t).Features("bus_pass"), Trained: goldenTraining},
					proof.ConsentAnswered{Purpose: proof.ForFace},
					proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson, Trained: goldenTraining},
				)
				ref := r.send(visit{events: append(paper, facts...)})
				r.settle()
				if e := r.entry(ref); e.ruling == nil || e.ruling.Level != c.want {
					t.Errorf("it comes to %+v, want %s", e.ruling, c.want)
				}
			})
		})
	}
}

// goldenTraining is how the clerk of the golden visits was trained.
var goldenTraining = proof.Training{Impostor: day(2026, 3, 1), Document: day(2025, 1, 10)}

// The letter says what the site was told, in the patient's language and size,
// and is written again after a review.
func TestLetters(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		plain := r.send(alone(of("photo-proved", morgan))(t))
		large := r.send(wishing(of("photo-proved", morgan), proof.PreferencesGiven{Written: "large_print"})(t))
		none := r.send(of("photo-proved", morgan)(t))
		r.settle()
		pages := func(pdf string) int { return strings.Count(pdf, "/Type /Page\n") }
		if a, b := r.letterOf(plain), r.letterOf(large); !strings.HasPrefix(a, "%PDF-") || pages(b) <= pages(a) {
			t.Errorf("the letters have %d and %d pages", pages(r.letterOf(plain)), pages(r.letterOf(large)))
		}
		if r.letterOf(none) != "" {
			t.Error("somebody with a telephone got a letter")
		}
		review := r.send(alone(carded(hidden, "F1"))(t))
		r.settle()
		before := r.letterOf(review)
		r.decide(review, wire.NoticeReviewPassed)
		if after := r.letterOf(review); before == "" || after == before {
			t.Error("after the review the letter is the same")
		}
	})
}

// Two records may share a reference; each letter stays.
func TestLettersOfOneReference(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for range 2 {
			v := alone(of("photo-proved", morgan))(t)
			v.name = 7
			r.send(v)
		}
		r.settle()
		letters, err := os.ReadDir(filepath.Join(r.dir, letterFolder))
		if err != nil || len(letters) != 2 {
			t.Errorf("%d letters, %v", len(letters), err)
		}
	})
}

// A policy that did not come with the program gives no level by guessing.
func TestUnknownPolicy(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		v := of("photo-proved", morgan)(t)
		o := r.archive.add(t, v)
		o.State.Visit.Policy = "gpg45-9.9"
		if err := r.w.Take(o); err != nil {
			t.Fatal(err)
		}
		r.work()
		r.expect(o.Ref, "review_open")
		if e := r.entry(o.Ref); !slices.Equal(e.review, []proof.Code{codeNotScorable}) {
			t.Errorf("held for %v", e.review)
		}
	})
}

// The same record again, as after a cursor was removed, is the same case.
func TestRecordComesAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ref := r.send(of("photo-proved", morgan)(t))
		r.settle()
		r.open()
		if err := r.w.Take(r.archive.open(t, 1)); err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.expect(ref, "final_raised", "nhs_p9", "account_ready")
		if r.logins.asked != 1 || r.archive.calls != 3 {
			t.Errorf("asked for %d accounts, told %d times", r.logins.asked, r.archive.calls)
		}
	})
}

// The own disk's failure and the end of ctx end the work; nothing is lost by it.
func TestWorkEnds(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ref := r.send(of("photo-proved", morgan)(t))
		r.archive.full = errors.New("no space")
		if err := r.w.Work(t.Context()); !errors.Is(err, r.archive.full) {
			t.Errorf("a full disk is %v", err)
		}
		r.archive.full = nil
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.w.Work(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("an ended context is %v", err)
		}
		r.settle()
		r.expect(ref, "final_raised", "nhs_p9", "account_ready")
	})
}

func TestWhatIsNeeded(t *testing.T) {
	t.Parallel()
	good := Config{Dir: t.TempDir(), Archive: &fakeCentre{}, Teller: &fakeCentre{}, Services: Services{Records: &fakeRecords{}}}
	for name, change := range map[string]func(*Config){
		"archive": func(c *Config) { c.Archive = nil }, "teller": func(c *Config) { c.Teller = nil },
		"records": func(c *Config) { c.Records = nil },
	} {
		cfg := good
		change(&cfg)
		if _, err := Open(cfg); err == nil {
			t.Errorf("without %s it opens", name)
		}
	}
	w, err := Open(good)
	if err != nil {
		t.Fatal(err)
	}
	if !w.next().IsZero() {
		t.Error("an empty ledger has something due")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// Without accounts, sources or a practice's system nothing is said about them,
// and details wait for people.
func TestFewServices(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.cfg.Services = Services{Records: r.records}
		r.open()
		ref := r.send(of("photo-under-uv", morgan)(t))
		details := r.send(codes(rightKey)(t))
		for range 5 {
			r.work()
			time.Sleep(alarmWait)
		}
		r.expect(ref, "final_kept", "nhs_p9")
		r.expect(details, "details_pending")
		if !strings.Contains(r.log.String(), "no system of GP practices is configured") {
			t.Error("nobody is told that the practice's system is missing")
		}
	})
}

// abuse is a run of visits, the last of which is to be held or not.
type abuse struct {
	name   string
	visits func(t *testing.T) []visit
	code   proof.Code // "" for a visit like any other
}

// vouching is a visit in which tal or another person vouches for somebody.
func vouching(t *testing.T, voucher, patient proof.Person, given proof.Date) visit {
	v := visit{events: golden(t, "vouch-on-paper"), who: patient}
	v.edit = func(f proof.Fact) proof.Fact {
		if g, is := f.(proof.VouchGiven); is {
			g.Voucher, g.Given = voucher, given
			return g
		}
		return f
	}
	return v
}

func TestAbuseAcrossVisits(t *testing.T) {
	t.Parallel()
	vouches := func(voucher proof.Person, n int, sites ...string) func(*testing.T) []visit {
		return func(t *testing.T) []visit {
			var out []visit
			for i := range n {
				v := vouching(t, voucher, person("PATIENT", fmt.Sprintf("%c", 'A'+i), day(1990, 1, 1+i)), day(2026, 11, 20))
				v.site = "FWC87"
				if len(sites) > 0 {
					v.site = sites[i%len(sites)]
				}
				out = append(out, v)
			}
			return out
		}
	}
	pair := func(a, b func(*testing.T) visit) func(*testing.T) []visit {
		return func(t *testing.T) []visit { return []visit{a(t), b(t)} }
	}
	vouch := func(voucher, patient proof.Person) func(*testing.T) visit {
		return func(t *testing.T) visit { return vouching(t, voucher, patient, day(2026, 11, 20)) }
	}
	aged := func(given proof.Date) func(*testing.T) []visit {
		return func(t *testing.T) []visit { return []visit{vouching(t, tal, unknown, given)} }
	}
	for _, a := range []abuse{
		{"document/two-people", pair(carded(unknown, "G1"), carded(pike, "G1")), proof.SameDocumentTwice},
		{"document/same-person-again", pair(carded(pike, "G1"), carded(pike, "G1")), ""},
		{"document/two-documents", pair(carded(unknown, "G1"), carded(pike, "G2")), ""},
		{"vouch/chain", pair(vouch(tal, unknown), vouch(unknown, pike)), limit.VouchChain},
		{"vouch/circle", pair(vouch(tal, unknown), vouch(unknown, tal)), limit.VouchChain},
		{"vouch/two-vouchers", pair(vouch(tal, unknown), vouch(weir, pike)), ""},
		{"vouch/sixth-of-a-month", vouches(tal, 6), limit.VouchTooOften},
		{"vouch/fifth-of-a-month", vouches(tal, 5), ""},
		{"vouch/six-at-two-desks", vouches(tal, 6, "FWC87", "FA123"), ""},
		{"vouch/too-old", aged(day(2026, 8, 1)), limit.VouchTooOld},
		{"vouch/old-enough", aged(day(2026, 9, 1)), ""},
	} {
		t.Run(a.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				var ref wire.Ref
				for _, v := range a.visits(t) {
					ref = r.send(v)
					r.settle()
					r.open() // what was found before is read from the disk
				}
				e := r.entry(ref)
				if held := e.stage == stageReview; held != (a.code != "") || held && !slices.Contains(e.review, a.code) {
					t.Errorf("held %t for %v, want %q", held, e.review, a.code)
				}
				if a.code != "" {
					r.expect(ref, "review_open")
				}
			})
		})
	}
}

// A record that is in doubt itself puts nobody on the limit list.
func TestDoubtfulRecordsSpoilNobody(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		forged := carded(unknown, "H1")(t)
		forged.findings = []proof.Code{"claims_differ"}
		r.send(forged)
		r.settle()
		ref := r.send(carded(pike, "H1")(t))
		r.settle()
		if e := r.entry(ref); e.stage != stageClosed {
			t.Errorf("an honest holder is held for %v", e.review)
		}
	})
}

// A vouch of an earlier visit that is too old by now holds the visit that
// continues it.
func TestOldVouchOfAnEarlierVisit(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		before := r.send(vouching(t, tal, morgan, day(2026, 11, 20)))
		r.settle()
		time.Sleep(100 * 24 * time.Hour)
		v := of("licence-proved", morgan)(t)
		v.continues, v.days = before, 100
		ref := r.send(v)
		r.settle()
		r.expect(ref, "review_open")
		if e := r.entry(ref); !slices.Equal(e.review, []proof.Code{limit.VouchTooOld}) {
			t.Errorf("held for %v", e.review)
		}
	})
}

// What a decided case rests on is asked for again for an export; what changed
// since, what is not decided and what does not answer gives none.
func TestDossier(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		first := r.send(alone(of("certificates-only", morgan))(t))
		v := of("licence-proved", morgan)(t)
		v.continues = first
		ref, review := r.send(v), r.send(of("photo-review", morgan)(t))
		details, vouched := r.send(codes(rightKey)(t)), r.send(of("vouch-pending", proof.Person{})(t))
		stopped := r.send(carded(hidden, "K1")(t))
		r.settle()
		r.decide(vouched, wire.NoticeVouchWithdrawn)
		calls := r.archive.calls
		d, err := r.w.Dossier(t.Context(), ref, "agent-7")
		if err != nil || d.Final.Level != proof.High || d.Final.NHS != proof.P9 || len(d.Known.Earlier) != 1 || d.Number != "9992000007" || d.Given {
			t.Errorf("it comes to %s, %s, %v", d.Final.Level, d.Final.NHS, err)
		}
		if d, err := r.w.Dossier(t.Context(), details, ""); err != nil || d.Final.NHS != proof.P9 {
			t.Errorf("the practice's patient comes to %s, %v", d.Final.NHS, err)
		}
		if d, err := r.w.Dossier(t.Context(), vouched, ""); err != nil || d.Final.Level != proof.NoLevel {
			t.Errorf("without the vouch it comes to %s, %v", d.Final.Level, err)
		}
		for name, c := range map[string]struct {
			ref   wire.Ref
			agent wire.AgentID
			want  error
		}{
			"unknown": {wire.RecordID{99}.Ref(), "", ErrNoCase}, "another-counter": {ref, "agent-8", ErrNoCase},
			"review": {review, "", ErrNotDone}, "silent-review": {stopped, "", ErrNotDone},
		} {
			if _, err := r.w.Dossier(t.Context(), c.ref, c.agent); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		r.records.people[0].Number = ""
		if _, err := r.w.Dossier(t.Context(), ref, ""); !errors.Is(err, ErrChanged) {
			t.Errorf("a record that is gone is %v", err)
		}
		for name, down := range map[string]func(bool){
			"sources": func(b bool) { r.sim.SetDown(source.SimSecond, b) }, "centre": func(b bool) { r.archive.away = b },
			"record": func(b bool) {
				if r.records.delay = nil; b {
					r.records.delay = &Delay{}
				}
			},
		} {
			down(true)
			if _, err := r.w.Dossier(t.Context(), ref, ""); !errors.Is(err, ErrAway) {
				t.Errorf("without the %s it is %v", name, err)
			}
			down(false)
		}
		if r.archive.calls != calls || len(r.w.fresh) != 0 {
			t.Error("an export tells somebody something")
		}
	})
}
