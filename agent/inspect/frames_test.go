package inspect

import (
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/devices/framing"
)

// hexed is text as hex.
func hexed(s string) string { return hex.EncodeToString([]byte(s)) }

// asks writes a question about reads.
func asks(t *testing.T, q map[string]any) string {
	t.Helper()
	in, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	return string(in)
}

func TestFrames(t *testing.T) {
	t.Parallel()
	const (
		upper = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<"
		lower = "D231458907UTO7408122F1204159<<<<<<<6"
	)
	zone := "I\x00\x48" + upper + lower
	report := func(s string) string { return hexed(s + strings.Repeat("\x00", 64-len(s))) }
	part := "\x02\x02]Q0AB"
	part = hexed(part + strings.Repeat("\x00", 63-len(part)) + "\x01")
	const descriptor = "058c0902a1018502750895010501093b8102058c09fe95108102c0"
	mrz := `{"kind":"mrz","lines":["` + upper + `","` + lower + `"]}`
	for _, c := range []struct {
		rule string
		q    map[string]any
		want string
	}{
		{"zone", map[string]any{"protocol": "elyctis", "sent": "490000", "reads": []string{hexed(zone)}}, `[` + mrz + `]`},
		{"cut", map[string]any{"protocol": "elyctis", "reads": []string{hexed(zone[:5]), hexed(zone[5:])}}, `[` + mrz + `]`},
		{"skipped", map[string]any{"protocol": "elyctis", "reads": []string{hexed("AT\r" + zone)}}, `[` + strings.Replace(mrz, "]}", `],"skipped":3}`, 1) + `]`},
		{"nothing-is-the-deadline", map[string]any{"protocol": "elyctis", "reads": []string{"49", "", hexed(zone)}}, `[{"kind":"error","error":"timeout_partial","have":1},` + mrz + `]`},
		{"end-is-the-deadline", map[string]any{"protocol": "elyctis", "reads": []string{"490048"}}, `[{"kind":"error","error":"timeout_partial","have":3,"want":75}]`},
		{"nothing-came", map[string]any{"protocol": "elyctis", "reads": []string{""}}, `[]`},
		{"ack", map[string]any{"protocol": "elyctis", "reads": []string{"43000101"}}, `[{"kind":"ack","command":"C","value":1}]`},
		{"number-0-is-told", map[string]any{"protocol": "cute-ocr", "reads": []string{"020003"}}, `[{"kind":"error","error":"bad_character","offset":0}]`},
		{"report/nothing-is-nothing", map[string]any{"protocol": "hid-pos/aim5", "reads": []string{part, "", report("\x02\x01]Q0C")}}, `[{"kind":"barcode","text":"ABC","aim":"]Q0"}]`},
		{"report/end-is-nothing", map[string]any{"protocol": "hid-pos/aim5", "reads": []string{part}}, `[]`},
		{"report/no-identifier", map[string]any{"protocol": "hid-pos/plain2", "reads": []string{report("\x02\x01C")}}, `[{"kind":"barcode","text":"C"}]`},
		{"report/bytes-that-are-no-text", map[string]any{"protocol": "hid-raw/len0", "reads": []string{report("\x02\xff\x00")}}, `[{"kind":"barcode","text":"\ufffd\u0000","bytes_hex":"ff00"}]`},
		{"report/descriptor", map[string]any{"protocol": "hid-pos", "descriptor": descriptor, "reads": []string{hexed("\x02\x01C" + strings.Repeat("\x00", 15))}}, `[{"kind":"barcode","text":"C"}]`},
		{"setting", map[string]any{"protocol": "honeywell-menu", "reads": []string{hexed("CBRENA1\x06,DFT\x15.")}}, `[{"kind":"setting","tag":"CBR","subtag":"ENA","value":"1","status":"ack"},{"kind":"setting","tag":"CBR","subtag":"DFT","value":"","status":"nak"}]`},
		{"printer", map[string]any{"protocol": "escpos-status", "sent": "100401", "reads": []string{"1e"}}, `[{"kind":"printer","online":false,"drawer_pin3_high":true}]`},
		{"printer/cover", map[string]any{"protocol": "escpos-status", "sent": "100402", "reads": []string{"16"}}, `[{"kind":"offline","cover_open":true,"stopped_by_paper_end":false}]`},
		{"printer/failure", map[string]any{"protocol": "escpos-status", "sent": "100403", "reads": []string{"1a"}}, `[{"kind":"failure","cutter":true,"unrecoverable":false,"recoverable":false}]`},
		{"printer/paper", map[string]any{"protocol": "escpos-status", "sent": "100404", "reads": []string{"1e"}}, `[{"kind":"paper","near_end":true,"end":false}]`},
		{"sent-only", map[string]any{"protocol": "elyctis", "sent": "490000"}, `[{"kind":"encode","bytes":"490000"}]`},
		{"sent-only/in-a-report", map[string]any{"protocol": "honeywell-hid-command", "sent": hexed("\x16M\rREVINF."), "reads": []string{}}, `[{"kind":"encode","bytes":"fd0f164d0d524556494e462e"}]`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			out, err := runCommand(t, asks(t, c.q), "frames")
			if err != nil || strings.Count(out, "\n") != 1 {
				t.Fatalf("answer %q: %v", out, err)
			}
			var got, want any
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(`{"events":`+c.want+`}`), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %s, want %s", out, c.want)
			}
		})
	}
}

// TestEveryFrameHasAName: no kind of frame is told as unknown.
func TestEveryFrameHasAName(t *testing.T) {
	t.Parallel()
	for _, f := range []framing.Frame{
		framing.MRZ{}, framing.Barcode{}, framing.Ack{}, framing.Setting{}, framing.PrinterStatus{}, framing.OfflineStatus{},
		framing.FailureStatus{}, framing.PaperStatus{}, framing.Error{},
	} {
		if e := eventOf(f); e["kind"] == "unknown" {
			t.Errorf("%T is unknown", f)
		}
	}
	if e := eventOf(nil); e["kind"] != "unknown" {
		t.Errorf("nothing is told as %v", e)
	}
}

// TestFramesNotUnderstood: what was read is never quoted.
func TestFramesNotUnderstood(t *testing.T) {
	t.Parallel()
	for in, says := range map[string]string{
		`{}`:                     `"protocol" is missing`,
		`{"protocol":"SECRET"}`:  `"protocol" is none of elyctis`,
		`{"protocol":"elyctis"}`: `"reads" and "sent" are missing`,
		`{"protocol":"elyctis","reads":["49","SECRET"]}`:                                            "read 2 is not hex",
		`{"protocol":"elyctis","reads":["4"]}`:                                                      "read 1 is not hex",
		`{"protocol":"elyctis","reads":"SECRET"}`:                                                   "reads is a JSON string",
		`{"protocol":"elyctis","sent":"SECRET"}`:                                                    `"sent" is not hex`,
		`{"protocol":"escpos-status","reads":["12"]}`:                                               "without the command",
		`{"protocol":"escpos-status","sent":"1b40","reads":["12"]}`:                                 "not DLE EOT",
		`{"protocol":"hid-pos","reads":["12"]}`:                                                     "layout of the HID report is missing",
		`{"protocol":"hid-pos","descriptor":"SECRET","reads":["12"]}`:                               `"descriptor" is not hex`,
		`{"protocol":"hid-pos","descriptor":"05","reads":["12"]}`:                                   "ends inside an item",
		`{"protocol":"honeywell-hid-command","sent":"` + hexed(strings.Repeat("SECRET", 20)) + `"}`: "1 to 62 bytes",
	} {
		got, err := runCommand(t, in, "frames")
		if ExitCode(err) != 2 || got != "" {
			t.Errorf("%.60s: %q, %v", in, got, err)
			continue
		}
		if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("it says %q, want %q in it", err, says)
		}
	}
}
