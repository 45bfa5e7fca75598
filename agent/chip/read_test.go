package chip

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/sm"
)

// b reads hexadecimal digits.
func b(tb testing.TB, s string) []byte {
	tb.Helper()
	out, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// x writes them.
func x(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// The key and the chip's nonce of ICAO 9303-11 appendix D.
const (
	exampleKey = "L898902C<369080619406236"
	rndIC      = "4608F91988702212"
)

// script answers commands one after another, and holds them to what was expected.
type script struct {
	t     *testing.T
	steps []step
}

// step is a command as it has to come, and the answer to it.
type step struct{ command, answer string }

func (s *script) send(_ context.Context, command []byte) ([]byte, error) {
	if len(s.steps) == 0 {
		s.t.Errorf("one command too many: %X", command)
		return nil, errors.New("no more")
	}
	now := s.steps[0]
	s.steps = s.steps[1:]
	if got := x(command); got != now.command {
		s.t.Errorf("the terminal says %s, want %s", got, now.command)
	}
	return b(s.t, now.answer), nil
}

// play makes a link to a script, which has to be played to its end.
func play(t *testing.T, long bool, steps ...step) *link {
	t.Helper()
	s := &script{t, steps}
	t.Cleanup(func() {
		if len(s.steps) > 0 {
			t.Errorf("%d steps were not played", len(s.steps))
		}
	})
	return &link{send: s.send, long: long}
}

// What a chip says about lengths is followed, once, and bounded.
func TestFollowsLengths(t *testing.T) {
	t.Parallel()
	ask := sm.Command{INS: 0x84, Ne: 8}
	for name, c := range map[string]struct {
		steps []step
		data  string
		is    sm.Status
	}{
		"as-asked":       {[]step{{"0084000008", "01029000"}}, "0102", sm.OK},
		"another-length": {[]step{{"0084000008", "6C04"}, {"0084000004", "010203049000"}}, "01020304", sm.OK},
		"more-comes":     {[]step{{"0084000008", "01026102"}, {"00C0000002", "03049000"}}, "01020304", sm.OK},
		"more-and-more":  {[]step{{"0084000008", "016101"}, {"00C0000001", "026101"}, {"00C0000001", "039000"}}, "010203", sm.OK},
		"256-more":       {[]step{{"0084000008", "6100"}, {"00C0000000", "059000"}}, "05", sm.OK},
		"length-twice":   {[]step{{"0084000008", "6C04"}, {"0084000004", "6C05"}}, "", 0x6c05},
		"refused":        {[]step{{"0084000008", "6982"}}, "", sm.NotSatisfied},
	} {
		t.Run(name, func(t *testing.T) {
			data, status, err := play(t, true, c.steps...).do(t.Context(), ask)
			if err != nil || x(data) != c.data || status != c.is {
				t.Errorf("got %X, %04X, %v; want %s, %04X", data, uint16(status), err, c.data, uint16(c.is))
			}
		})
	}
	if _, _, err := play(t, true, step{"0084000008", "90"}).do(t.Context(), ask); !errors.Is(err, ErrProtocol) {
		t.Errorf("half a status: %v", err)
	}
}

// A chip that goes on for ever is left.
func TestBudget(t *testing.T) {
	t.Parallel()
	l := &link{send: func(context.Context, []byte) ([]byte, error) { return []byte{1, 0x61, 1}, nil }}
	if _, _, err := l.do(t.Context(), sm.Command{INS: 0x84, Ne: 8}); !errors.Is(err, ErrBudget) || l.commands > maxCommands+1 {
		t.Errorf("after %d commands: %v", l.commands, err)
	}
	l = &link{send: func(context.Context, []byte) ([]byte, error) { return make([]byte, sm.MaxNe), nil }}
	var err error
	for err == nil {
		_, _, err = l.do(t.Context(), sm.Command{INS: 0xb0, Ne: sm.MaxNe})
	}
	if !errors.Is(err, ErrBudget) || l.total > maxTotal+sm.MaxNe {
		t.Errorf("after %d bytes: %v", l.total, err)
	}
}

// Files are read in clear as under protection: by short identifier, else by name;
// short where long commands are refused.
func TestReadsFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		long  bool
		steps []step
		want  string
	}{
		"one-command":    {true, []step{{"00B09C0000FF00", "310301020" + "39000"}}, "3103010203"},
		"in-pieces":      {false, []step{{"00B09C0000", "3106" + "0102" + "9000"}, {"00B0000404", "030405069000"}}, "3106010203040506"},
		"refuses-long":   {true, []step{{"00B09C0000FF00", "6700"}, {"00B09C0000", "310101" + "9000"}}, "310101"},
		"by-name":        {false, []step{{"00B09C0000", "6B00"}, {"00A4020C02011C", "9000"}, {"00B0000000", "310101" + "6282"}}, "310101"},
		"more-than-long": {false, []step{{"00B09C0000", "310101FFFF" + "9000"}}, "310101"},
	} {
		t.Run(name, func(t *testing.T) {
			var heard []int
			got, err := play(t, c.long, c.steps...).read(t.Context(), CardAccess, func(done, total int) { heard = append(heard, done, total) })
			if err != nil || x(got) != c.want {
				t.Errorf("got %X, %v, want %s", got, err, c.want)
			}
			if n := len(heard); n < 2 || heard[n-1] != len(got) || !slices.IsSorted([]int{heard[0], heard[n-2]}) {
				t.Errorf("heard %v", heard)
			}
		})
	}
	for name, c := range map[string]struct {
		steps []step
		want  error
	}{
		"another-tag":      {[]step{{"00B09C0000", "770101" + "9000"}}, ErrProtocol},
		"no-length":        {[]step{{"00B09C0000", "31" + "9000"}}, ErrProtocol},
		"beyond-bounds":    {[]step{{"00B09C0000", "3183FFFFFF" + "9000"}}, ErrBudget},
		"nothing-follows":  {[]step{{"00B09C0000", "310401" + "9000"}, {"00B0000303", "9000"}}, ErrProtocol},
		"too-much-follows": {[]step{{"00B09C0000", "310201" + "9000"}, {"00B0000301", "0203" + "9000"}}, ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := play(t, false, c.steps...).read(t.Context(), CardAccess, nil); !errors.Is(err, c.want) {
				t.Errorf("got %X, %v, want %v", got, err, c.want)
			}
		})
	}
	l := play(t, false, step{"00B09D0000", "6A82"}, step{"00A4020C02011D", "9000"}, step{"00B0000000", "770101" + "9000"}, step{"00A4020C02010F", "6A82"})
	if got, err := l.read(t.Context(), SOD, nil); err != nil || x(got) != "770101" {
		t.Errorf("a chip that takes short identifiers for files that it does not have: %X, %v", got, err)
	}
	if got, err := l.read(t.Context(), DG15, nil); err == nil {
		t.Errorf("a file that is not there by name: %X", got)
	}
	_, err := play(t, false, step{"00B09C0000", "6A82"}).read(t.Context(), CardAccess, nil)
	if missing, is := errors.AsType[*Error](err); !is || missing.Status != sm.FileMissing {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestNamesOfFiles(t *testing.T) {
	t.Parallel()
	for f, want := range map[File]string{SOD: "EF.SOD", COM: "EF.COM", CardAccess: "EF.CardAccess", CardSecurity: "EF.CardSecurity", DG1: "DG1", DG15: "DG15", 0x2f01: "file 2F01"} {
		if got := f.String(); got != want {
			t.Errorf("%04X is %s, want %s", uint16(f), got, want)
		}
	}
	if got := (&Error{"reading", sm.NotSatisfied}).Error(); got != "reading: the chip answers 6982" {
		t.Errorf("an error says %q", got)
	}
}

// TestOpening: what fails before access ends the reading, and says why.
func TestOpening(t *testing.T) {
	t.Parallel()
	const selecting, asking = "00A4040C07A0000002471001", "0084000008"
	master, offer := step{"00A4000C023F00", "9000"}, step{"00B09C0000FF00", "6A82"} // no EF.CardAccess: no PACE
	random := func(n int) Config { return Config{Key: Key{MRZInformation: exampleKey}, Random: &repeat{left: n}} }
	refused := "0082000028"
	for name, c := range map[string]struct {
		cfg   Config
		steps []step
		want  error
	}{
		"no-document": {random(99), []step{offer, master, offer, {selecting, "6A82"}}, &Error{}},
		"no-nonce":    {random(99), []step{offer, master, offer, {selecting, "9000"}, {asking, "6D00"}}, &Error{}},
		"short-nonce": {random(99), []step{offer, master, offer, {selecting, "9000"}, {asking, "0102039000"}}, ErrProtocol},
		"no-random":   {random(9), []step{offer, master, offer, {selecting, "9000"}, {asking, rndIC + "9000"}}, errDry},
		"another-key": {random(99), []step{offer, master, offer, {selecting, "9000"}, {asking, rndIC + "9000"}, {refused, "6300"}}, ErrKey},
		// the info and the command of appendix G.1
		"refuses-PACE":   {random(99), []step{{"00B09C0000FF00", "31143012060A04007F0007020204020202010202010D9000"}, {"0022C1A412800A04007F0007020204020283010184010D", "6A80"}}, ErrDowngrade},
		"breaks-PACE":    {random(99), []step{{"00B09C0000FF00", "31143012060A04007F0007020204020202010202010D9000"}, {"0022C1A412800A04007F0007020204020283010184010D", "9000"}, {"10860000027C0000", "7C029000"}}, ErrProtocol},
		"answer-of-none": {random(99), []step{offer, master, offer, {selecting, "9000"}, {asking, rndIC + "9000"}, {refused, "9000"}}, ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{t, c.steps}
			c.cfg.Send = func(ctx context.Context, command []byte) ([]byte, error) {
				if len(command) > 40 { // the proof differs with the secret
					command = command[:5]
				}
				return s.send(ctx, command)
			}
			r, err := Read(t.Context(), c.cfg)
			status, is := errors.AsType[*Error](err)
			if _, wanted := c.want.(*Error); wanted && (!is || status.Op == "") || !wanted && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if len(r.Files) > 0 || len(s.steps) > 0 {
				t.Errorf("%d files, %d steps left", len(r.Files), len(s.steps))
			}
		})
	}
}

// errDry is why a source of chance has nothing more.
var errDry = errors.New("nothing more to draw")

// repeat is a source of chance with so many bytes.
type repeat struct{ left int }

func (r *repeat) Read(p []byte) (int, error) {
	if r.left < len(p) {
		return 0, errDry
	}
	r.left -= len(p)
	return len(p), nil
}
