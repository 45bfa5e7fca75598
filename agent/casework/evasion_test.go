package casework

import (
	"context"
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

// doubtful gives a visit a finding of the opener's, for which people look first.
func doubtful(v func(*testing.T) visit) func(*testing.T) visit {
	return with(v, func(v *visit) { v.findings = []proof.Code{"clock_doubtful"} })
}

// lists replaces the world by one in which more is listed.
func (r *rig) lists(change func(*source.Table)) {
	r.t.Helper()
	table := r.sim.Table()
	change(&table)
	sim, err := source.NewSimulator(table)
	if err != nil {
		r.t.Fatal(err)
	}
	r.cfg.Sources = sim.Sources()
	r.open()
}

// lost puts a person's photo card on the list of lost ones.
func lost(who proof.Person, number string) func(*source.Table) {
	return func(t *source.Table) {
		t.Documents = append(t.Documents, source.Issued{
			Type: "eu_dl", Issuer: "IRL", Number: number, Surname: who.Surname.Key, Birth: who.Birth.String(), State: "lost",
		})
	}
}

// People let pass what they saw. What comes to light only then is theirs to look
// at, too, and gives nothing before they have.
func TestPassedIsWhatPeopleSaw(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(*testing.T) visit // nil for none
		v      func(*testing.T) visit
		code   proof.Code
	}{
		"stolen-identity":  {nil, doubtful(carded(stolen, "P1")), source.CodeTheft},
		"dead":             {nil, doubtful(carded(deceased, "P2")), source.CodeDeceased},
		"lost-document":    {nil, doubtful(carded(pike, "LOST1")), codeDocumentHit},
		"two-people":       {carded(unknown, "P3"), doubtful(carded(pike, "P3")), proof.SameDocumentTwice},
		"hidden-record":    {nil, doubtful(carded(hidden, "P4")), codeRecordStopped},
		"vouched-by-chain": {func(t *testing.T) visit { return vouching(t, tal, unknown, day(2026, 11, 20)) }, doubtful(func(t *testing.T) visit { return vouching(t, unknown, pike, day(2026, 11, 20)) }), limit.VouchChain},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.lists(lost(pike, "LOST1"))
				if c.before != nil {
					r.send(c.before(t))
					r.settle()
				}
				ref := r.send(c.v(t))
				r.settle()
				r.decide(ref, wire.NoticeReviewPassed)
				e := r.entry(ref)
				if e.stage != stageReview || !slices.Contains(e.review, c.code) {
					t.Errorf("after one look it is %s for %v, want a look at %s", e.stage, e.review, c.code)
				}
				if slices.Contains(r.archive.told[ref], wire.NoticeNHSP9) || r.logins.asked != 0 {
					t.Errorf("the site was told %v", r.archive.told[ref])
				}
				r.open()      // what was let pass is on the disk
				for range 2 { // the dead have a record that is stopped, too
					r.decide(ref, wire.NoticeReviewPassed)
				}
				if e := r.entry(ref); e.stage != stageClosed {
					t.Errorf("after all looks it is %s for %v", e.stage, e.review)
				}
			})
		})
	}
}

// Whoever does not let a hidden record pass tells the site nothing by it.
func TestFailedReviewOfAStoppedRecord(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]proof.Person{"hidden": hidden, "withdrawn": withdrawn} {
		for _, kind := range []wire.NoticeKind{wire.NoticeReviewFailed, wire.NoticeReviewPassed} {
			t.Run(name+"/"+string(kind), func(t *testing.T) {
				bubble(t, func(t *testing.T, r *rig) {
					ref := r.send(carded(who, "D1")(t))
					r.settle()
					before := slices.Clone(r.archive.told[ref])
					r.decide(ref, kind)
					if name == "hidden" && kind == wire.NoticeReviewPassed {
						before = append(before, "nhs_p9", "account_ready")
					}
					r.expect(ref, before...)
					if e := r.entry(ref); e.stage != stageClosed {
						t.Errorf("it is %s", e.stage)
					}
				})
			})
		}
	}
}

// A record that stopped between the level and the account: where people end it,
// the patient hears that there will be no account, and not why.
func TestFailedReviewAfterTheLevel(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.logins.answers = []Provisioned{{Disposition: Retry}}
		ref := r.send(of("photo-proved", morgan)(t))
		r.work()
		r.records.people[0].Record = "deceased"
		r.settle()
		r.decide(ref, wire.NoticeReviewFailed)
		r.expect(ref, "final_raised", "nhs_p9", "account_refused")
	})
}

// vouched is a visit with a vouch on paper and a card beside it.
func vouched(t *testing.T, cards []proof.Event) visit {
	v := vouching(t, tal, morgan, day(2026, 11, 20))
	outcome := proof.VisitDecided{Outcome: proof.Outcome{Result: proof.Proved, NHS: proof.NHSNone}}
	v.events = append(v.events, append(events(outcome), cards[2:]...)...)
	v.prefs = contact
	return v
}

// bused are the facts of a bus pass, examined and compared.
func bused(t *testing.T) []proof.Event {
	return events(
		proof.VisitStarted{Case: "case0001", Route: proof.AnyEvidence, Training: true, Operator: goldenTraining},
		proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true},
		proof.EvidenceChosen{Type: "bus_pass", Form: proof.ByField, Photo: true},
		proof.EvidenceEntered{Source: proof.FromKeys, Person: morgan, Number: "B1", Issuer: "GBR", Expires: day(2031, 1, 4)},
		proof.DocumentExamined{Original: true, Details: proof.Agree, Features: loadPolicy(t).Features("bus_pass"), Trained: goldenTraining},
		proof.ConsentAnswered{Purpose: proof.ForFace},
		proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson, Trained: goldenTraining},
	)
}

// busPass is a visit with a bus pass.
func busPass(t *testing.T) visit { return visit{events: bused(t), who: morgan, prefs: contact} }

// A vouch that was taken back counts in no visit that continues the one with it,
// whether that was decided before or is decided after.
func TestVouchWithdrawnCountsInNoLaterVisit(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("decided-before-%t", late), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				alone := r.send(busPass(t))
				before := r.send(of("vouch-pending", proof.Person{})(t))
				r.settle()
				if !late {
					r.decide(before, wire.NoticeVouchWithdrawn)
				}
				v := busPass(t)
				v.continues, v.days = before, 1
				ref := r.send(v)
				r.settle()
				with, without := r.entry(ref).ruling.Level, r.entry(alone).ruling.Level
				if late {
					if !with.Above(without) {
						t.Fatalf("the vouch raises nothing: %s and %s", with, without)
					}
					r.decide(before, wire.NoticeVouchWithdrawn)
					with = r.entry(ref).ruling.Level
					if told := r.archive.told[ref]; !slices.Contains(told, wire.NoticeFinalLowered) || !slices.Contains(told, wire.NoticeVouchWithdrawn) {
						t.Errorf("the later visit's site was told %v", told)
					}
				}
				if with != without {
					t.Errorf("with a vouch that was taken back it comes to %s, alone to %s", with, without)
				}
			})
		})
	}
}

// A voucher may take a vouch back whenever they want: while a source is down,
// while people look, while the record is in doubt.
func TestVouchWithdrawnBeforeTheDecision(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(t *testing.T, r *rig) wire.Ref{
		"source-down": func(t *testing.T, r *rig) wire.Ref {
			r.sim.SetDown(source.SimRegister, true)
			return r.send(of("vouch-pending", proof.Person{})(t))
		},
		"review":   func(t *testing.T, r *rig) wire.Ref { return r.send(of("vouch-by-self", proof.Person{})(t)) },
		"in-doubt": func(t *testing.T, r *rig) wire.Ref { return r.send(doubtful(of("vouch-pending", proof.Person{}))(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				ref := play(t, r)
				r.work()
				if err := Decide(r.dir, Decision{Ref: ref, Kind: wire.NoticeVouchWithdrawn}); err != nil {
					t.Fatal(err)
				}
				r.work()
				r.sim.SetDown(source.SimRegister, false)
				r.settle()
				if e := r.entry(ref); e.stage == stageReview {
					r.decide(ref, wire.NoticeReviewPassed)
				} else if name != "source-down" {
					t.Errorf("taking the vouch back ended the review: %s", e.stage)
				}
				e := r.entry(ref)
				if e.ruling == nil || e.ruling.Level != proof.NoLevel || !slices.Contains(r.archive.told[ref], wire.NoticeVouchWithdrawn) {
					t.Errorf("it comes to %+v, the site was told %v", e.ruling, r.archive.told[ref])
				}
			})
		})
	}
}

// untrained has the comparison made by somebody who was never trained for it,
// which is worth nothing.
func untrained(v *visit) { v.edit = as(proof.Training{Document: trained.Document, UVIR: trained.UVIR}) }

// as has everything done by somebody of a training.
func as(by proof.Training) func(proof.Fact) proof.Fact {
	return func(f proof.Fact) proof.Fact {
		switch f := f.(type) {
		case proof.VisitStarted:
			f.Operator = by
			return f
		case proof.DocumentExamined:
			f.Trained = by
			return f
		case proof.PersonCompared:
			f.Trained = by
			return f
		}
		return f
	}
}

// A document that an earlier visit showed is asked about before it counts in a
// later one, and so is one of somebody who vouches or acts for the patient.
func TestLostDocumentOfAnother(t *testing.T) {
	t.Parallel()
	later := func(t *testing.T, r *rig) wire.Ref {
		before := r.send(with(carded(pike, "LOST1"), untrained)(t))
		r.settle()
		v := visit{events: card(t, pike, "FINE1", false), continues: before, days: 1, prefs: contact}
		return r.send(v)
	}
	for name, c := range map[string]struct {
		list func(*source.Table)
		play func(t *testing.T, r *rig) wire.Ref
	}{
		"earlier-visit": {lost(pike, "LOST1"), later},
		"voucher": {func(t *source.Table) { t.Documents[1].State = "lost" }, func(t *testing.T, r *rig) wire.Ref {
			return r.send(of("vouch-pending", proof.Person{})(t))
		}},
		"proxy": {func(t *source.Table) { t.Documents[1].State = "cancelled" }, func(t *testing.T, r *rig) wire.Ref {
			return r.send(of("proxy-adult", proof.Person{})(t))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.lists(c.list)
				ref := c.play(t, r)
				r.settle()
				r.expect(ref, "review_open")
				if e := r.entry(ref); !slices.Contains(e.review, codeDocumentHit) {
					t.Errorf("held for %v", e.review)
				}
			})
		})
	}
}

// A lost document of an earlier visit counts for nothing when people let the
// later visit pass.
func TestLostDocumentOfAnEarlierVisitPassed(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.lists(lost(pike, "LOST1"))
		alone := r.send(visit{events: card(t, pike, "FINE0", false), prefs: contact})
		before := r.send(with(carded(pike, "LOST1"), untrained)(t))
		r.settle()
		ref := r.send(visit{events: card(t, pike, "FINE1", false), continues: before, days: 1, prefs: contact})
		r.settle()
		r.decide(ref, wire.NoticeReviewPassed)
		if got, want := r.entry(ref).ruling, r.entry(alone).ruling; got == nil || got.Level != want.Level {
			t.Errorf("with the lost document it comes to %+v, alone to %s", got, want.Level)
		}
	})
}

// An earlier visit that was not looked at yet is not joined before it was: a
// document of two people is found in it first.
func TestEarlierVisitThatIsNotListedYet(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.send(carded(unknown, "G1")(t))
		r.settle()
		first := carded(pike, "G1")(t)
		first.name = 100
		v := visit{events: card(t, pike, "FINE1", false), continues: wire.RecordID{100, 1}.Ref(), prefs: contact}
		// The later visit comes to the centre first.
		ref := r.send(v)
		r.send(first)
		r.settle()
		r.expect(ref, "not_joined", "final_raised", "nhs_p9", "account_ready")
	})
}

// A token that is being used when its own visit falls gives no account.
func TestTokenOfAVisitThatFellMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		v := vouched(t, card(t, morgan, "Q1", true))
		v.token, v.prefs, v.edit = firstCode, nil, as(trained)
		owner := r.send(v)
		r.settle()
		if !slices.Contains(r.archive.told[owner], wire.NoticeClaimReady) {
			t.Fatalf("the token is not ready: %v", r.archive.told[owner])
		}
		r.logins.answers = []Provisioned{{Disposition: Retry}}
		ref := r.send(redeeming(string(firstCode), 1)(t))
		r.work()
		r.lists(func(t *source.Table) { t.People[0].Lists = []source.Check{source.IdentityTheft} })
		if err := Decide(r.dir, Decision{Ref: owner, Kind: wire.NoticeVouchWithdrawn}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r.work()
			time.Sleep(longWait)
		}
		r.expect(ref) // its visit is looked at
		if e := r.entry(owner); e.stage != stageReview {
			t.Fatalf("the token's visit is %s", e.stage)
		}
		r.decide(owner, wire.NoticeReviewFailed)
		r.settle()
		r.expect(ref, "claim_refused")
		if r.logins.created != 0 {
			t.Error("an account was made for somebody who was not proved")
		}
	})
}

// A token whose visit still lies at a counter without a line, or is in doubt
// itself, is waited for.
func TestTokenOfAVisitThatIsOnItsWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		findings []proof.Code
		late     bool
	}{"not-here-yet": {nil, true}, "in-doubt": {[]proof.Code{"clock_doubtful"}, false}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				v := alone(with(of("photo-proved", morgan), func(v *visit) { v.token, v.findings, v.name = firstCode, c.findings, 100 }))(t)
				if !c.late {
					r.send(v)
					r.work()
				}
				ref := r.send(redeeming(string(firstCode), 1)(t))
				r.work()
				r.expect(ref)
				time.Sleep(5 * time.Hour)
				if c.late {
					r.send(v)
				} else {
					r.decide(wire.RecordID{100, 1}.Ref(), wire.NoticeReviewPassed)
				}
				r.settle()
				r.expect(ref, "claim_used", "account_ready")
			})
		})
	}
}

// One service that is down keeps nothing else back: the account is made while the
// wishes wait.
func TestWishesKeepNoAccountBack(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		both := *contact
		both.Language = "cy"
		r.sim.SetDown(source.SimWishes, true)
		ref := r.send(wishing(of("photo-proved", morgan), both)(t))
		r.work()
		r.expect(ref, "final_raised", "nhs_p9", "account_ready")
		r.sim.SetDown(source.SimWishes, false)
		r.settle()
		r.expect(ref, "final_raised", "nhs_p9", "account_ready", "wishes_applied")
	})
}

// Details that the practice accepted are worth the same when people let a visit
// pass.
func TestDetailsOfAReviewThatPassed(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ref := r.send(doubtful(codes(rightKey))(t))
		worried := codes(rightKey)(t)
		worried.events = append(worried.events, proof.Event{By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Fact: proof.ConcernRaised{}})
		second := r.send(worried)
		for _, ref := range []wire.Ref{ref, second} {
			r.settle()
			r.decide(ref, wire.NoticeReviewPassed)
			if told := r.archive.told[ref]; !slices.Contains(told, wire.NoticeNHSP9) || slices.Contains(told, wire.NoticeMoreNeeded) {
				t.Errorf("the site was told %v", told)
			}
		}
	})
}

// What a level by a practice's word rests on is asked again before the account:
// details that are refused by then, and a record of another patient, give none.
func TestAccountByDetailsThatChanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig){
		"refused": func(r *rig) {
			table := r.sim.Table()
			table.Letters = table.Letters[1:]
			sim, err := source.NewSimulator(table)
			if err != nil {
				r.t.Fatal(err)
			}
			r.w.cfg.Practice = sim.Practice()
		},
		"another-patient": func(r *rig) {
			for i, p := range r.records.people {
				if p.Surname == "WEIR" {
					r.records.people[i].Number = "9992001682"
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.logins.answers = []Provisioned{{Disposition: Retry}}
				ref := r.send(codes(rightKey)(t))
				r.work()
				change(r)
				r.settle()
				r.expect(ref, "details_accepted", "nhs_p9")
				if e := r.entry(ref); r.logins.created != 0 || e.stage != stageReview {
					t.Errorf("%d accounts, the case is %s", r.logins.created, e.stage)
				}
			})
		})
	}
}

// A record may say anything of its site: it stops nothing and is not written down.
func TestSiteOfAHostileRecord(t *testing.T) {
	t.Parallel()
	for name, site := range map[string]string{"long": strings.Repeat("<", 70_000), "a-name": "MORGAN SPECIMEN"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				v := vouching(t, tal, pike, day(2026, 11, 20))
				v.site = site
				ref := r.send(v)
				r.settle()
				if e := r.entry(ref); e.stage != stageClosed {
					t.Errorf("it is %s", e.stage)
				}
			})
		})
	}
}

// Two cases with one reference are each decided, also where both decisions lie in
// the folder at once.
func TestDecisionsAboutOneReference(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var ref wire.Ref
		for _, agent := range []wire.AgentID{"agent-7", "agent-8"} {
			v := of("photo-review", morgan)(t)
			v.name, v.agent = 9, agent
			ref = r.send(v)
		}
		r.settle()
		for _, agent := range []wire.AgentID{"agent-7", "agent-8"} {
			if err := Decide(r.dir, Decision{Ref: ref, Agent: agent, Kind: wire.NoticeReviewFailed}); err != nil {
				t.Fatal(err)
			}
		}
		r.settle()
		for _, e := range r.w.book.refs[ref] {
			if !e.failed {
				t.Errorf("the decision about %s is lost", e.Agent)
			}
		}
		if err := Decide(r.dir, Decision{Ref: ref, Agent: "../agent", Kind: wire.NoticeReviewFailed}); err == nil {
			t.Error("a counter that is a path is taken")
		}
	})
}

// A decision that somebody else left, whom the opener may not read, is not lost.
func TestDecisionThatCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ref := r.send(of("photo-review", morgan)(t))
		r.work()
		unread := r.path(filepath.Join(rulingFolder, "a.json"))
		if err := os.Mkdir(unread, 0o700); err != nil { // may be read by nobody, the system's administrator neither
			t.Fatal(err)
		}
		r.decide(ref, wire.NoticeReviewFailed)
		r.expect(ref, "review_open", "review_failed", "letter_sent")
		if _, err := os.Stat(unread); err != nil || !strings.Contains(r.log.String(), "cannot be read") {
			t.Errorf("it is gone, or nobody is told: %v", err)
		}
	})
}

// A visit that came in two records is told of by the first alone: the site has one
// reference for both.
func TestVisitThatCameTwice(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		v := of("photo-proved", morgan)(t)
		v.name = 9
		ref := r.send(v)
		v.findings = []proof.Code{codeDuplicate}
		r.send(v)
		r.settle()
		r.decide(ref, wire.NoticeReviewFailed)
		r.expect(ref, "final_raised", "nhs_p9", "account_ready")
		if first, second := r.w.book.refs[ref][0], r.w.book.refs[ref][1]; !second.failed || first.failed || r.logins.created != 1 {
			t.Errorf("failed: %t and %t, %d accounts", first.failed, second.failed, r.logins.created)
		}
	})
}

// slow is a search for records that nobody answers.
type slow struct{ *fakeRecords }

// Match fails after a while.
func (s slow) Match(ctx context.Context, c Claimed) (Match, *Delay) {
	time.Sleep(25 * time.Second)
	s.delay = &Delay{}
	return s.fakeRecords.Match(ctx, c)
}

// A service that is slow to fail does not keep the opener from its other work: a
// call ends in time, and the cases take turns.
func TestSlowServices(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.w.cfg.Records = slow{r.records}
		for range 8 {
			r.send(of("photo-proved", morgan)(t))
		}
		begun := time.Now()
		r.work()
		if took := time.Since(begun); took > maxWork+30*time.Second {
			t.Errorf("one call took %s", took)
		}
		r.work()
		r.work()
		for _, e := range r.w.book.order {
			if e.tries == 0 {
				t.Errorf("the case at %d had no turn", e.Index)
			}
		}
	})
}

// A centre that was restored has a record at another place: the case goes on with
// it from there.
func TestRecordAtAnotherPlace(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.sim.SetDown(source.SimRegister, true)
		ref := r.send(of("photo-proved", morgan)(t))
		other := r.send(carded(pike, "R1")(t))
		r.work()
		records := r.archive.records
		records[0], records[1] = records[1], records[0]
		for i := range records {
			records[i].opened.Index = uint64(i + 1)
			if err := r.w.Take(r.archive.open(t, uint64(i+1))); err != nil {
				t.Fatal(err)
			}
		}
		r.open()
		r.sim.SetDown(source.SimRegister, false)
		r.settle()
		for _, ref := range []wire.Ref{ref, other} {
			r.expect(ref, "final_raised", "nhs_p9", "account_ready")
		}
	})
}

// What a voucher's own visit proved counts when that visit is decided later, and
// when it comes later.
func TestVouchersVisitIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("not-here-yet-%t", late), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				own := wire.RecordID{100, 1}.Ref()
				proved := with(carded(tal, "E1"), func(v *visit) { v.name, v.continues = 100, wire.RecordID{101, 1}.Ref() })
				if !late {
					r.send(proved(t)) // and waits for the visit that it continues
					r.work()
				}
				v := vouched(t, bused(t))
				v.edit = func(f proof.Fact) proof.Fact {
					if g, is := f.(proof.VouchGiven); is {
						g.Voucher, g.Proofing = tal, proof.Ref(own)
						return g
					}
					return f
				}
				ref := r.send(v)
				r.work()
				r.expect(ref)
				if late {
					time.Sleep(5 * time.Hour)
					r.send(proved(t))
				}
				r.settle()
				if e := r.entry(ref); e.ruling == nil || e.ruling.Level != proof.High {
					t.Errorf("it comes to %+v", e.ruling)
				}
			})
		})
	}
}

// What was decided about a request later is in the letter of whoever has no
// telephone, and in the ledger with who decided.
func TestLetterOfALaterDecision(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ref := r.send(alone(of("proxy-child", proof.Person{}))(t))
		r.settle()
		before := r.letterOf(ref)
		r.decide(ref, wire.NoticeProxyGranted)
		if after := r.letterOf(ref); before == "" || after == before {
			t.Error("the letter does not tell of it")
		}
		r.expect(ref, "proxy_submitted", "letter_sent", "proxy_granted")
		text, err := os.ReadFile(r.path("ledger.jsonl"))
		if err != nil || !strings.Contains(string(text), `"kind":"proxy_granted","by":"lead.1"`) {
			t.Errorf("the ledger does not say who decided: %v", err)
		}
		if e := r.entry(ref); e.stage != stageClosed {
			t.Errorf("the case is %s", e.stage)
		}
	})
}
