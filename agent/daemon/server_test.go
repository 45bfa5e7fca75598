package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// statuses are those that are not 500, the status of what the caller cannot
// help.
var statuses = map[proof.Kind]int{
	proof.KindSignIn: 401, proof.KindSessionEnded: 401, proof.KindShiftOver: 401, proof.KindSessionClosed: 401,
	proof.KindAccountOff: 403, proof.KindOwnAccount: 403, proof.KindPINCode: 403,
	proof.KindLockedOut: 403, proof.KindNotAllowed: 403, proof.KindPeerRefused: 403, proof.KindEnrolCode: 403,
	proof.KindNoVisit:    404,
	proof.KindAskNotOpen: 409, proof.KindVisitOpen: 409, proof.KindCancelled: 409,
	proof.KindBadRequest: 422, proof.KindWeakPIN: 422, proof.KindNoMRZ: 422, proof.KindChecksFailed: 422,
	proof.KindOddLetters: 422, proof.KindDetailsMissing: 422, proof.KindNumberWrong: 422, proof.KindDateWrong: 422,
	proof.KindRefWrong: 422, proof.KindTokenWrong: 422, proof.KindContactWrong: 422, proof.KindPracticeCodes: 422,
	proof.KindSameOperator: 422,
	proof.KindDiskFull:     507,
}

func TestStatusOfEveryKind(t *testing.T) {
	t.Parallel()
	for _, kind := range proof.Kinds() {
		want := statuses[kind]
		if want == 0 {
			want = http.StatusInternalServerError
		}
		if got := statusOf(kind); got != want {
			t.Errorf("%s: got %d, want %d", kind, got, want)
		}
	}
}

func TestOnlyTheKindOfAFailureLeaves(t *testing.T) {
	t.Parallel()
	const secret = "Q7J20000X"
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	locked := &proof.Error{Op: "signing in", Kind: proof.KindLockedOut, Err: errors.New(secret)}
	for name, c := range map[string]struct {
		err  error
		want api.Problem
	}{
		"kind":    {locked, api.Problem{Kind: proof.KindLockedOut}},
		"until":   {until{locked, at}, api.Problem{Kind: proof.KindLockedOut, Until: at}},
		"wrapped": {fmt.Errorf("again: %w", until{locked, at}), api.Problem{Kind: proof.KindLockedOut, Until: at}},
		"unknown": {errors.New(secret), api.Problem{Kind: proof.KindInternal}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			s := &server{}
			s.answer(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), func(*http.Request) (any, error) { return nil, c.err })
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("the cause left the daemon: %s", w.Body)
			}
			var got api.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Kind != c.want.Kind || !got.Until.Equal(c.want.Until) {
				t.Errorf("got %+v, want %+v: %v", got, c.want, err)
			}
			if w.Code != statusOf(c.want.Kind) || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("status %d of type %s", w.Code, w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want proof.Kind
	}{
		"fits":      {`{"operator":"` + strings.Repeat("x", maxBody-100) + `"}`, proof.KindNone},
		"too-large": {`{"operator":"` + strings.Repeat("x", maxBody) + `"}`, proof.KindBadRequest},
		"no-json":   {`operator=robin`, proof.KindBadRequest},
		"empty":     {``, proof.KindBadRequest},
		"cut-off":   {`{"operator":"robin"`, proof.KindBadRequest},
		"two":       {`{}{}`, proof.KindBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			var failed error
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(c.body))
			(&server{}).answer(w, r, func(r *http.Request) (any, error) {
				var in api.SignIn
				in, failed = read[api.SignIn](r)
				return in, failed
			})
			if proof.KindOf(failed) != c.want || w.Code != 200 && c.want == proof.KindNone {
				t.Errorf("got %v and %d, want %q", failed, w.Code, c.want)
			}
		})
	}
}

func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		`{"seen":4,"ask":"examine_document","exam":{"original":true,"details":"agree","features":["watermark"]}}`,
		`{"seen":-1,"ask":"key_document","lines":["P<UTO","x"]}`, `{"do":"abandon","reason":"patient_left"}`, `null`, `[]`, `{`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		in, err := read[api.Answer](r)
		if err != nil && proof.KindOf(err) != proof.KindBadRequest {
			t.Fatalf("%q is refused as %v", body, err)
		}
		if err == nil && !json.Valid([]byte(body)) {
			t.Fatalf("%q was read as %+v", body, in)
		}
		if err != nil && strings.Contains(err.Error(), "{") {
			t.Fatalf("the refusal repeats the request: %v", err)
		}
	})
}
