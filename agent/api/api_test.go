package api_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// bodies are the types that travel, with something in every kind of field.
func bodies() []any {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	queue := api.Queue{Waiting: 3, Oldest: now, Acked: 1, SafeOff: true}
	return []any{
		api.Problem{Kind: proof.KindLockedOut, Until: now},
		api.Status{Site: "FWC87", Queue: queue, Devices: []api.Device{{Name: "camera", Ready: true}}, Languages: []string{"en"}},
		api.QueueList{Queue: queue, Items: []api.QueueItem{{Seq: 1, Ref: "R", At: now, State: "sealed"}}},
		api.DeviceList{Devices: []api.Device{{Name: "printer", Problem: proof.KindPaperOut}}},
		api.SignIn{Operator: "robin", Secret: "x"},
		api.FirstClerk{Code: "c", Name: "Robin", Secret: "x"},
		api.Unlock{Supervisor: api.SignIn{Operator: "boss"}, Operator: "robin"},
		api.Session{Token: "t", Operator: proof.Operator{ID: "robin"}},
		api.NewVisit{Route: proof.PhotoDocument, Language: "cy"},
		api.Visit{ID: "c", Asks: []proof.Ask{{Kind: proof.CaptureDocument}}, Document: &api.Document{Number: "X"}, Face: &api.Face{Score: 1}, Slip: &api.Slip{Printed: true}},
		api.Answer{Seen: 4, Ask: proof.ExamineDocument, Exam: &api.Examination{Original: true}},
		api.Event{Kind: api.EventQueue, Queue: &queue},
		api.Event{Kind: api.EventSession, Why: proof.KindShiftOver},
		api.ClerkList{
			Clerks: []api.Account{{Operator: proof.Operator{ID: "kim", Role: proof.Clerk}, State: api.AccountLocked, Until: now, Changed: now, By: "boss"}},
			Issued: &api.Issued{Operator: "kim", Code: "c", Until: now},
		},
		api.ClerkChange{Do: api.DoChangeClerk, Role: proof.Supervisor, Training: proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 1}}},
		api.CodeSignIn{Operator: "kim", Code: "c", Secret: "x"}, api.NewSecret{Old: "x", Secret: "y"},
		api.Activity{Deeds: []api.Deed{{At: now, Who: "kim", Did: api.DidEnd, Case: "c", Ref: "R"}}, More: true, Problem: proof.KindLogDamaged},
		api.Report{From: now, Language: "cy"},
		api.Checkup{
			At: now, Findings: []api.Finding{{Code: api.NoRule, Weight: api.Hinders, Device: "usb:1-2", Values: map[string]string{"node": "/dev/x"}}},
			Devices: []api.CheckedDevice{{ID: "usb:1-2", Can: []string{"camera"}, State: "ready", Problem: proof.KindDeviceBusy, LastGood: now}},
		},
		api.Trial{Device: "usb:1-2", Can: "camera"},
		api.TrialResult{Can: "camera", Code: api.TrialFilmed, Light: &api.Light{Role: "face_camera", Mean: 12.5, Finding: api.CameraDark}},
	}
}

func TestBodiesSurviveTheSocket(t *testing.T) {
	t.Parallel()
	for _, body := range bodies() {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatalf("writing %T: %v", body, err)
		}
		back := reflect.New(reflect.TypeOf(body))
		if err := json.Unmarshal(b, back.Interface()); err != nil {
			t.Fatalf("reading %T: %v", body, err)
		}
		again, err := json.Marshal(back.Elem().Interface())
		if err != nil || string(again) != string(b) {
			t.Errorf("%T came back as %s, want %s: %v", body, again, b, err)
		}
	}
}

func TestQueueTellsNobody(t *testing.T) {
	t.Parallel()
	// What is shown of a queued record must not be able to name a person.
	allowed := map[string]bool{"Seq": true, "Ref": true, "At": true, "State": true, "Size": true, "Attempts": true, "NextTry": true}
	item := reflect.TypeOf(api.QueueItem{})
	for i := range item.NumField() {
		if !allowed[item.Field(i).Name] {
			t.Errorf("a queued record shows %s", item.Field(i).Name)
		}
	}
}

func TestPathsAreOfOneVersion(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, path := range []string{
		api.PathStatus, api.PathFirst, api.PathSessions, api.PathUnlock, api.PathVisits, api.PathVisit, api.PathAnswers,
		api.PathPictures, api.PathHandOver, api.PathPreview, api.PathEvents, api.PathQueue, api.PathDevices,
	} {
		if !strings.HasPrefix(path, "/v1/") || seen[path] {
			t.Errorf("path %s is of another version or twice there", path)
		}
		seen[path] = true
	}
}

// TestDeedsTellNoPatient counts the fields of a line of the record: a new one
// must be looked at here before anything can be written into it.
func TestDeedsTellNoPatient(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{"At": true, "Who": true, "Did": true, "Whom": true, "Case": true, "Ref": true, "Role": true, "Training": true}
	deed := reflect.TypeOf(api.Deed{})
	for i := range deed.NumField() {
		if !allowed[deed.Field(i).Name] {
			t.Errorf("a line of the record has %s", deed.Field(i).Name)
		}
	}
}

// TestAnAccountShowsItsOperator is what other programs read: an account is the
// operator with more beside it.
func TestAnAccountShowsItsOperator(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(api.Account{Operator: proof.Operator{ID: "kim", Name: "Kim Hart", Role: proof.Clerk}})
	if err != nil {
		t.Fatal(err)
	}
	var op proof.Operator
	if err := json.Unmarshal(b, &op); err != nil || op.ID != "kim" || op.Name != "Kim Hart" {
		t.Errorf("%s reads %+v: %v", b, op, err)
	}
	if strings.Contains(string(b), "state") || strings.Contains(string(b), "until") {
		t.Errorf("what is empty travels: %s", b)
	}
}
