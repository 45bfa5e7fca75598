package framing

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

//go:embed testdata/frames.txt
var framesText string

// step is one thing that a port does: it gives bytes, or a pause.
type step struct {
	read  []byte
	pause bool
}

// frameCase is one case of testdata/frames.txt.
type frameCase struct {
	rule, framing string
	set           Settings
	steps         []step
	want          []string
	send, sends   []byte
}

// frameCases reads the cases.
func frameCases(t testing.TB) []frameCase {
	t.Helper()
	var out []frameCase
	for line := range strings.Lines(framesText) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		if word == "" || word == "#" {
			continue
		}
		if word == "==" {
			out = append(out, frameCase{rule: rest})
			continue
		}
		if err := out[len(out)-1].add(word, rest); err != nil {
			t.Fatalf("%s: %s: %v", out[len(out)-1].rule, line, err)
		}
	}
	return out
}

// add adds one line to a case.
func (c *frameCase) add(word, rest string) (err error) {
	var b []byte
	switch word {
	case "framing":
		c.framing = rest
	case "with":
		return c.with(rest)
	case "read":
		b, err = tokens(rest)
		c.steps = append(c.steps, step{read: b})
	case "bytes":
		b, err = tokens(rest)
		for i := range b {
			c.steps = append(c.steps, step{read: b[i : i+1]})
		}
	case "nothing":
		c.steps = append(c.steps, step{})
	case "pause":
		c.steps = append(c.steps, step{pause: true})
	case "want":
		c.want = append(c.want, strings.ReplaceAll(rest, "'", `"`))
	case "send":
		c.send, err = tokens(rest)
	case "sends":
		c.sends, err = tokens(rest)
	default:
		err = fmt.Errorf("no such word")
	}
	return err
}

// with reads settings.
func (c *frameCase) with(rest string) error {
	for _, pair := range strings.Fields(rest) {
		key, value, _ := strings.Cut(pair, "=")
		raw, err := hex.DecodeString(value)
		switch key {
		case "max":
			c.set.MaxBytes, err = strconv.Atoi(value)
		case "start":
			c.set.Start = raw
		case "end":
			c.set.End = raw
		case "sent":
			c.set.Sent = raw
		case "content":
			c.set.Content, err = Content(value), nil
		case "aim":
			c.set.AIMPrefix, err = true, nil
		case "letters":
			c.set.Letters, err = value, nil
		case "length":
			c.set.Length, err = Span(value), nil
		case "check":
			c.set.Check, err = Span(value), nil
		default:
			err = fmt.Errorf("no such setting")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tokens reads bytes: hex, 'text', or @N for zeros up to byte N.
func tokens(s string) ([]byte, error) {
	var out []byte
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '\'' {
			text, rest, _ := strings.Cut(s[1:], "'")
			out, s = append(out, text...), rest
			continue
		}
		token, rest, _ := strings.Cut(s, " ")
		s = rest
		if n, ok := strings.CutPrefix(token, "@"); ok {
			to, err := strconv.Atoi(n)
			if err != nil || to < len(out) {
				return nil, fmt.Errorf("%s after %d bytes", token, len(out))
			}
			out = append(out, make([]byte, to-len(out))...)
			continue
		}
		b, err := hex.DecodeString(token)
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// show writes a frame as testdata does.
func show(f Frame) string {
	switch f := f.(type) {
	case MRZ:
		s := "mrz"
		for _, l := range f.Lines {
			s += fmt.Sprintf(" %q", l)
		}
		return s + skips(f.Skipped)
	case Barcode:
		return strings.TrimSpace(fmt.Sprintf("barcode %q %s", f.Bytes, f.AIM))
	case Ack:
		return fmt.Sprintf("ack %s %d", f.Command, f.Value) + skips(f.Skipped)
	case Setting:
		return fmt.Sprintf("setting %s %s %q %s", f.Tag, f.Subtag, f.Value, f.Status)
	case PrinterStatus:
		return fmt.Sprintf("printer online=%t drawer=%t", f.Online, f.DrawerPin3High)
	case OfflineStatus:
		return fmt.Sprintf("offline cover=%t paper=%t", f.CoverOpen, f.StoppedByPaperEnd)
	case FailureStatus:
		return fmt.Sprintf("failure cutter=%t broken=%t recoverable=%t", f.Cutter, f.Unrecoverable, f.Recoverable)
	case PaperStatus:
		return fmt.Sprintf("paper near=%t end=%t", f.NearEnd, f.End)
	case Error:
		return "error " + f.Error()
	}
	return "unknown"
}

// skips writes a count of skipped bytes.
func skips(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" skipped=%d", n)
}

// play gives a decoder what a port does and shows what it makes of it.
func play(t testing.TB, d Decoder, steps []step) []string {
	t.Helper()
	var out []string
	for _, s := range steps {
		mine := bytes.Clone(s.read)
		frames := d.Feed(mine)
		for i := range mine {
			mine[i] = '?' // a decoder keeps no part of a read
		}
		if s.pause {
			frames = append(frames, d.Expire()...)
			if d.Pending() {
				t.Error("a frame is pending behind a pause")
			}
		}
		for _, f := range frames {
			out = append(out, show(f))
		}
	}
	return out
}

// open makes the case's decoder.
func (c frameCase) open(t testing.TB) Decoder {
	t.Helper()
	d, err := New(c.framing, c.set)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFrames(t *testing.T) {
	t.Parallel()
	for _, c := range frameCases(t) {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			if c.send != nil {
				got, err := Encode(c.framing, c.send)
				if err != nil || !bytes.Equal(got, c.sends) {
					t.Errorf("got %x (%v), want %x", got, err, c.sends)
				}
				return
			}
			if got := play(t, c.open(t), c.steps); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// resplit joins the reads between pauses and cuts them again.
func resplit(steps []step, cut func(joined []byte) []step) []step {
	var out []step
	var joined []byte
	for _, s := range append(slices.Clone(steps), step{pause: true}) {
		joined = append(joined, s.read...)
		if s.pause {
			out = append(append(out, cut(joined)...), s)
			joined = nil
		}
	}
	return out[:len(out)-1]
}

// TestSplits: a byte stream gives the same frames in one read, byte by byte,
// and cut in two at every place, with reads of nothing between.
func TestSplits(t *testing.T) {
	t.Parallel()
	for _, c := range frameCases(t) {
		if c.send != nil || ByReport(c.framing) {
			continue
		}
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			longest := 0
			same := func(name string, cut func([]byte) []step) {
				if got := play(t, c.open(t), resplit(c.steps, cut)); !slices.Equal(got, c.want) {
					t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			}
			same("one read", func(b []byte) []step {
				longest = max(longest, len(b))
				return []step{{read: b}}
			})
			same("byte by byte", func(b []byte) (out []step) {
				for i := range b {
					out = append(out, step{read: b[i : i+1]}, step{})
				}
				return out
			})
			for at := range longest {
				same(fmt.Sprintf("cut at %d", at), func(b []byte) []step {
					n := min(at, len(b))
					return []step{{read: b[:n]}, {}, {read: b[n:]}}
				})
			}
		})
	}
}

// TestUnplugged: a frame that is cut off at any byte is given up at the pause,
// and the next one is read as if nothing had been.
func TestUnplugged(t *testing.T) {
	t.Parallel()
	whole := map[string]string{
		"elyctis/td3": "", "rte/td3/first-line-absent": "", "cute/td3": "", "ocr/td3-concatenated": "", "menu/ack": "", "block/barcode": "",
	}
	for _, c := range frameCases(t) {
		if _, ok := whole[c.rule]; !ok {
			continue
		}
		delete(whole, c.rule)
		raw := c.steps[0].read
		for n := 1; n < len(raw); n++ {
			got := play(t, c.open(t), []step{{read: raw[:n]}, {pause: true}, {read: raw}, {pause: true}})
			if len(got) == 0 || got[len(got)-1] != c.want[0] {
				t.Errorf("%s cut off at byte %d: %q", c.rule, n, got)
			}
		}
	}
	if len(whole) != 0 {
		t.Errorf("cases that are not there: %v", whole)
	}
}
