package screen_test

import (
	"image"
	"image/color"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/view"
	"github.com/counterproof/counterproof/ui/words"
)

// now is the moment of all samples.
var now = time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC)

// sample is a state with the screen that it leads to.
type sample struct {
	name  string
	state view.State
}

// status is a counter in training with three records waiting.
func status() *api.Status {
	return &api.Status{
		Version: "0.1", Site: "FV123", Enrolled: true, Training: true, Face: true, Languages: []string{"en", "cy"},
		Queue: api.Queue{Waiting: 3, Oldest: now.Add(-2 * time.Hour), Acked: 12, SafeOff: true, LastSent: now.Add(-2 * time.Hour)},
		Devices: []api.Device{
			{Name: "sim", Role: "document_camera", Ready: true, Training: true},
			{Name: "sim", Role: "face_camera", Ready: false, Problem: proof.KindDeviceGone},
			{Name: "sim", Role: "slip_printer", Ready: true, Training: true},
		},
	}
}

// person is the invented holder of the Utopian specimen passport.
func document() *api.Document {
	return &api.Document{
		Source: proof.FromCamera, Format: "TD3", Type: proof.Passport, Issuer: "UTO", Number: "L898902C3",
		Person: proof.Person{
			Surname: proof.NewName("SPECIMEN"), Given: proof.NewName("NIA ANGHARAD"),
			Birth: proof.Date{Year: 1984, Month: 8, Day: 12}, Sex: "F", Nationality: "UTO",
		},
		Expiry: proof.Date{Year: 2031, Month: 4, Day: 15}, Page: "page-1", Portrait: "portrait-1",
		Features: []string{
			"background_print", "fonts_alignment", "intaglio", "watermark", "security_fibres", "hologram",
			"variable_ink", "laser_etching", "ghost_image", "lamination", "photo_position", "identifier_format",
		},
	}
}

// outcome is the honest result of a training visit.
func outcome() *proof.Outcome {
	return &proof.Outcome{
		Result: proof.Proved, Level: proof.Low, Profile: "L1B", NHS: proof.P5, Provisional: true, Policy: "gpg45-0.4", Training: true,
		Reasons: []proof.Reason{
			{Code: "profile_met", Params: map[string]string{"level": "low", "profile": "L1B", "policy": "gpg45-0.4"}},
			{Code: "strength_chip_not_read", Params: map[string]string{"type": "passport", "strength": "3"}},
			{Code: "validity_examined", Params: map[string]string{"score": "2", "months": "36", "seen": "4"}},
			{Code: "compared", Params: map[string]string{"score": "2", "months": "36"}},
			{Code: "face_machine_aid", Params: map[string]string{"decision": "match"}},
			{Code: "activity_not_checked"}, {Code: "fraud_not_checked"}, {Code: "nhs_p5_if_record_matches"}, {Code: "nhs_record_not_asked"},
		},
		Raise: []proof.Reason{
			{Code: "fraud_check_after_sync", Params: map[string]string{"level": "medium", "profile": "M1C", "steps": "fraud_check_after_sync,read_chip"}},
			{Code: "second_document", Params: map[string]string{"level": "medium", "profile": "M2B", "steps": "second_document,fraud_check_after_sync,activity_after_sync"}},
		},
	}
}

// boss makes the clerk of a state a supervisor at a counter with some accounts.
func boss(s *view.State) {
	trained := proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 1}, Document: proof.Date{Year: 2025, Month: 9, Day: 30}}
	s.Session = &api.Session{Until: s.Session.Until} // the samples share one
	s.Session.Operator = proof.Operator{ID: "robin", Name: "Robin Vale", Role: proof.Supervisor, Training: trained}
	s.Clerks = []api.Account{
		{Operator: s.Session.Operator, State: api.AccountReady},
		{Operator: proof.Operator{ID: "kim", Name: "Kim Hart", Role: proof.Clerk}, State: api.AccountCode, Until: now, Changed: now, By: "robin"},
		{Operator: proof.Operator{ID: "lou", Name: "Lou Marsh", Role: proof.Clerk, Training: trained}, State: api.AccountOff, Changed: now, By: "robin"},
	}
}

// checkup is a counter with something wrong of every kind.
func checkup() *api.Checkup {
	c := &api.Checkup{At: now, Version: "0.1", Site: "FV123", Devices: []api.CheckedDevice{
		{ID: "usb:1-2/046d:0825/7A", Name: "Webcam C270", Can: []string{"camera"}, Roles: []string{"document_camera"}, State: "ready", Profile: "uvc", Tried: "spec", LastGood: now},
		{ID: "usb:1-3/0c2e:0b61", Name: "Xenon 1900", Can: []string{"barcode_reader"}, State: "faulted", Profile: "keyboard-wedge-honeywell", Tried: "spec"},
		{ID: "usb:1-4/1234:5678", Name: "ID BOX One", Can: []string{"mrz_reader"}, State: "faulted", Problem: proof.KindDevicePermission, Profile: "elyctis-idbox", Tried: "spec", Faults: 3},
		{ID: "usb:1-8/1234:5678", Name: "ID BOX One", Can: []string{"mrz_reader"}, State: "busy", Profile: "elyctis-idbox", Tried: "trace"},
		{ID: "sim:chip reader", Name: "Simulated chip reader", Can: []string{"chip_reader"}, State: "opening", Training: true},
		{ID: "net:scanner", Name: "Office scanner", Can: []string{"document_scanner"}, State: "absent"},
		{ID: "usb:1-6/04b8:0202", Name: "TM-T20", Can: []string{"printer"}, Roles: []string{"slip_printer"}, State: "ready", Profile: "escpos", Tried: "bench"},
		{ID: "usb:1-7/dead:beef", Name: "Something new", Can: []string{"telepathy"}, State: "found"},
	}}
	find := func(code api.FindingCode, weight api.Weight, id, name string, values map[string]string) {
		c.Findings = append(c.Findings, api.Finding{Code: code, Weight: weight, Device: id, Name: name, Values: values})
	}
	find(api.ServiceStopped, api.Stops, "", "", nil)
	find(api.DiskLow, api.Advises, "", "", map[string]string{"free": "1200 MB"})
	find("of_next_year", api.Hinders, "", "", nil)
	find(api.CameraDark, api.Hinders, "", "", map[string]string{"role": "document_camera"})
	find(api.KeyboardWedgeHoneywell, api.Hinders, "usb:1-3/0c2e:0b61", "Xenon 1900", nil)
	find(api.NoRule, api.Hinders, "usb:1-4/1234:5678", "ID BOX One", map[string]string{"node": "/dev/ttyACM0", "profile": "elyctis-idbox"})
	find(api.ModemManager, api.Hinders, "usb:1-8/1234:5678", "ID BOX One", map[string]string{"node": "/dev/ttyACM1"})
	find(api.PaperOut, api.Hinders, "usb:1-6/04b8:0202", "TM-T20", nil)
	return c
}

// inVisit is a state with an open visit.
func inVisit(tag string, asks ...proof.Ask) view.State {
	return view.State{
		Words: words.In(tag), Now: now, Status: status(),
		Session: &api.Session{Operator: proof.Operator{ID: "c1", Name: "Sam Example"}},
		Visit:   &api.Visit{ID: "VISIT", Operator: "c1", Language: tag, Events: 7, Training: true, Asks: asks},
	}
}

// samples are states that lead to every screen.
func samples(tag string) []sample {
	out := view.State{Words: words.In(tag), Now: now, Status: status()}
	in := inVisit(tag)
	home := in
	home.Visit = nil
	with := func(s view.State, change func(*view.State)) view.State {
		if s.Visit != nil {
			v := *s.Visit
			s.Visit = &v
		}
		if s.Status != nil {
			st := *s.Status
			s.Status = &st
		}
		change(&s)
		return s
	}
	ask := func(asks ...proof.Ask) view.State { return inVisit(tag, asks...) }
	glare := proof.KindGlare
	return append(formSamples(tag, with, ask), []sample{
		{"away", with(out, func(s *view.State) { s.Away = true })},
		{"starting", with(out, func(s *view.State) { s.Status = nil })},
		{"not_enrolled", with(out, func(s *view.State) { s.Status.Enrolled = false })},
		{"first_clerk", with(out, func(s *view.State) { s.Status.NoClerks = true })},
		{"sign_in", with(out, func(s *view.State) {
			s.Status.OpenVisit, s.Problem, s.Until = "VISIT", proof.KindLockedOut, now.Add(15*time.Minute)
		})},
		{"unlock", with(out, func(s *view.State) { s.Side = view.SideUnlock })},
		{"first_clerk", with(out, func(s *view.State) { s.Side = view.SideFirst })},
		{"code", with(out, func(s *view.State) { s.Side, s.Problem = view.SideCode, proof.KindPINCode })},
		{"sign_in", with(out, func(s *view.State) { s.Problem = proof.KindPINKeyLost })},
		{"home", with(home, boss)},
		{"clerks", with(home, func(s *view.State) {
			boss(s)
			s.Side, s.Said = view.SideClerks, "clerks.said.reset"
			s.Issued = &api.Issued{Operator: "kim", Code: "k7m2-q4xa-9dtp-w3hz", Until: now.Add(24 * time.Hour)}
		})},
		{"clerk", with(home, func(s *view.State) {
			boss(s)
			s.Side, s.Clerk, s.Problem = view.SideClerk, "kim", proof.KindDateWrong
		})},
		{"add_clerk", with(home, func(s *view.State) {
			boss(s)
			s.Side, s.Hint = view.SideAddClerk, form.Hint{Key: "form.needed", Field: "name"}
		})},
		{"account", with(home, func(s *view.State) {
			boss(s)
			s.Side, s.Session.Until = view.SideAccount, now.Add(20*time.Minute)
		})},
		{"secret", with(home, func(s *view.State) {
			s.Side, s.Hint = view.SideSecret, form.Hint{Key: "first.differs", Field: "again"}
		})},
		{"activity", with(home, func(s *view.State) {
			boss(s)
			s.Side, s.Days, s.Since = view.SideActivity, 7, now.Add(-7*24*time.Hour)
			s.Activity = &api.Activity{Problem: proof.KindLogDamaged, More: true}
			for i, k := range words.In(tag).Codes("deed") {
				s.Activity.Deeds = append(s.Activity.Deeds, api.Deed{At: now.Add(time.Duration(-i) * time.Hour), Who: "robin", Did: api.DeedKind(k), Whom: "kim"})
			}
		})},
		{"home", with(home, func(s *view.State) { s.Status.Queue.Problem = proof.KindCentreUnreachable })},
		{"doctor", with(out, func(s *view.State) { s.Side, s.Doctor = view.SideDoctor, checkup() })},
		{"doctor", with(out, func(s *view.State) {
			s.Side, s.Status.Enrolled, s.Doctor = view.SideDoctor, false, &api.Checkup{At: now}
		})},
		{"doctor", with(in, func(s *view.State) {
			s.Side, s.Doctor, s.Meter = view.SideDoctor, checkup(), "document_camera"
			s.Light = &api.Light{Role: "document_camera", Mean: 21, Contrast: 30, Rate: 15, Frames: 30, Finding: api.CameraDark}
		})},
		{"doctor", with(in, func(s *view.State) {
			s.Side, s.Doctor, s.Meter = view.SideDoctor, checkup(), "document_camera"
			s.Light = &api.Light{Role: "document_camera", Mean: 140, Contrast: 90, Rate: 15, Frames: 30}
		})},
		{"doctor", with(home, func(s *view.State) {
			s.Side, s.Doctor, s.Busy, s.Trying = view.SideDoctor, checkup(), true, &api.Trial{Device: "usb:1-4/1234:5678", Can: "mrz_reader"}
		})},
		{"doctor", with(home, func(s *view.State) {
			s.Side, s.Doctor = view.SideDoctor, checkup()
			s.Tried = &api.TrialResult{Device: "usb:1-6/04b8:0202", Name: "TM-T20", Can: "printer", Code: api.TrialFailed, Problem: proof.KindPaperOut}
		})},
		{"queue", with(home, func(s *view.State) {
			s.Side, s.Status.Queue.Alarms = view.SideQueue, 1
			s.Queue = &api.QueueList{Items: []api.QueueItem{
				{Seq: 2, Ref: "CP-7K2M-49QX", At: now, State: "sealed", Size: 512_000, Attempts: 2, NextTry: now.Add(time.Minute)},
				{Seq: 1, Ref: "CP-1AAA-22BB", At: now.Add(-3 * time.Hour), State: "refused", Size: 498_000, Attempts: 1},
			}}
		})},
		{"consent_proofing", ask(proof.Ask{Kind: proof.AskProofingConsent})},
		{"consent_face", with(ask(proof.Ask{Kind: proof.AskFaceConsent}), func(s *view.State) { s.Visit.Document = document() })},
		{"capture_document", ask(proof.Ask{Kind: proof.CaptureDocument, Why: proof.DocExpired, Problem: proof.KindDeviceTimeout},
			proof.Ask{Kind: proof.KeyDocument}, proof.Ask{Kind: proof.Finish})},
		{"capture_document_running", with(ask(proof.Ask{Kind: proof.CaptureDocument}), func(s *view.State) {
			s.Capturing, s.Guidance = proof.CaptureDocument, &glare
		})},
		{"key_document", ask(proof.Ask{Kind: proof.KeyDocument, Why: proof.CaptureKeepsFailing}, proof.Ask{Kind: proof.CaptureDocument}, proof.Ask{Kind: proof.Finish})},
		{"examine", with(ask(proof.Ask{Kind: proof.ExamineDocument}), func(s *view.State) { s.Visit.Document = document() })},
		{"capture_chip", ask(proof.Ask{Kind: proof.ReadChip, Problem: proof.KindChipKey}, proof.Ask{Kind: proof.ExamineDocument})},
		{"capture_chip_running", with(ask(proof.Ask{Kind: proof.ReadChip}), func(s *view.State) {
			held := proof.KindHoldChip
			s.Capturing, s.Guidance, s.Percent = proof.ReadChip, &held, 40
		})},
		{"capture_face", with(ask(proof.Ask{Kind: proof.CaptureFace, Why: proof.FaceDifferent, Attempt: 1, Left: 2}, proof.Ask{Kind: proof.Finish}),
			func(s *view.State) { s.Visit.Document = document() })},
		{"compare", with(ask(proof.Ask{Kind: proof.ComparePerson}), func(s *view.State) {
			s.Visit.Document, s.Visit.Face = document(), &api.Face{Live: "face-1", Decision: proof.MatchConfirm}
		})},
		{"step", ask(proof.Ask{Kind: proof.SealRecord, Problem: proof.KindDiskFull})},
		{"result", with(ask(proof.Ask{Kind: proof.ConfirmResult}), func(s *view.State) {
			s.Visit.Outcome, s.Visit.Document, s.Visit.Face = outcome(), document(), &api.Face{Live: "face-1", Clerk: proof.Same}
		})},
		{"slip", with(ask(proof.Ask{Kind: proof.PrintSlip, Problem: proof.KindPaperOut}, proof.Ask{Kind: proof.EndVisit}), func(s *view.State) {
			s.Visit.Outcome, s.Visit.Ref = outcome(), "CP-7K2M-49QX"
			s.Visit.Slip = &api.Slip{Problem: proof.KindPaperOut, Lines: []string{
				"TRAINING - proves nothing", "", "Identity check", "Your identity was checked today.", "Level of confidence: low",
				"Your reference:", "CP-7K2M-49QX", "Keep this slip. Nobody can see who you", "are from it.",
			}}
		})},
		{"ended", with(ask(proof.Ask{Kind: proof.EndVisit}), func(s *view.State) { s.Visit.Outcome = &proof.Outcome{Result: proof.Abandoned} })},
		{"hand_over", with(ask(proof.Ask{Kind: proof.ExamineDocument}), func(s *view.State) { s.Side, s.Problem = view.SideHandOver, proof.KindSignIn })},
		{"take_over", with(ask(proof.Ask{Kind: proof.ExamineDocument}), func(s *view.State) { s.Visit.Operator = "c2" })},
		{"abandon", with(ask(proof.Ask{Kind: proof.ExamineDocument}), func(s *view.State) { s.Side, s.Hint = view.SideAbandon, form.Hint{Key: "abandon.choose"} })},
	}...)
}

// drawing is an invented picture: stripes in two greys.
func drawing(w, h int) image.Image {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetGray(x, y, color.Gray{Y: 150 + uint8(((x/20)+(y/20))%2)*60})
		}
	}
	return img
}
