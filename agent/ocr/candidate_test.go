package ocr

import (
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/mrz"
)

// grammarOf finds the grammar of a format.
func grammarOf(t testing.TB, f mrz.Format) *grammar {
	t.Helper()
	all := grammars()
	i := slices.IndexFunc(all, func(g grammar) bool { return g.format == f })
	if i < 0 {
		t.Fatalf("%s is not read", f)
	}
	return &all[i]
}

// doubt is a character that was seen instead of, or beside, the true one: gap is
// how much less likely it is, negative where it is likelier.
type doubt struct {
	line, at int
	char     byte
	gap      float32
}

// seenAs makes the candidate that a network would give for some lines, in which
// everything is plain but for some doubts.
func seenAs(t testing.TB, f mrz.Format, lines []string, doubts ...doubt) *candidate {
	t.Helper()
	g := grammarOf(t, f)
	var read []lineRead
	for i, l := range lines {
		cells := make([]cell, len(l))
		for k := range l {
			cells[k].char, cells[k].frame = place(l[k]), 4.25*float32(k)
			for c := range cells[k].peak {
				cells[k].peak[c] = -12
			}
			cells[k].peak[cells[k].char] = 0
		}
		for _, d := range doubts {
			if d.line != i {
				continue
			}
			c := &cells[d.at]
			c.peak[place(d.char)] = -d.gap
			if d.gap < 0 {
				c.peak[place(d.char)], c.peak[c.char] = 0, d.gap
				if g.lines[i][d.at]>>place(d.char)&1 == 1 {
					c.char = place(d.char)
				}
			}
		}
		read = append(read, lineRead{cells: cells, score: -0.05})
	}
	s := &session{Reader: newReader(t), desk: new(desk), ref: today}
	return s.candidate(g, read)
}

// The lines of ICAO's specimens of a passport and a visa (Doc 9303-4, -7).
var (
	passport = []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}
	visa     = []string{"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"}
)

func TestWhatIsBelieved(t *testing.T) {
	t.Parallel()
	good := "P<GBRERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	tests := []struct {
		name   string
		format mrz.Format
		lines  []string
		doubts []doubt
		want   bool
	}{
		{"plain", mrz.TD3, passport, nil, true},
		{"plain visa", mrz.MRVA, visa, nil, true},
		{"a rival that a digit refuses", mrz.TD3, passport, []doubt{{1, 3, 'B', 0.1}}, true},
		{"a rival in a name, which no digit covers", mrz.TD3, passport, []doubt{{0, 5, 'F', 1}}, false},
		{"an unlikely rival in a name", mrz.TD3, passport, []doubt{{0, 5, 'F', 3}}, true},
		{"a rival sex", mrz.TD3, passport, []doubt{{1, 20, 'M', 1}}, false},
		{"a rival that counts alike: 0 and K, by tens", mrz.TD3, passport, []doubt{{1, 5, 'K', 1}}, false},
		{"a state that is not one", mrz.TD3, []string{good, passport[1]}, []doubt{{0, 3, '8', 0.5}}, true},
		{"a letter of a state misread", mrz.TD3, []string{good, passport[1]}, []doubt{{0, 4, 'H', -1}}, true},
		{"two states alike", mrz.TD3, []string{strings.Replace(good, "GBR", "AUT", 1), passport[1]}, []doubt{{0, 4, 'S', 1}}, false},
		{"one character repaired", mrz.TD3, passport, []doubt{{1, 1, '9', -2}}, true},
		{"two characters repaired", mrz.TD3, passport, []doubt{{1, 1, '9', -2}, {1, 14, '9', -1}}, true},
		{"too dear a repair", mrz.TD3, passport, []doubt{{1, 1, '9', -6}}, false},
		{"a letter for its twin in a date", mrz.TD3, passport, []doubt{{1, 17, 'I', -8}}, true},
		{"a character against what was seen", mrz.TD3, passport, []doubt{{1, 17, 'W', -8}}, false},
		{"a wrong digit", mrz.TD3, []string{passport[0], strings.Replace(passport[1], "1204159", "1204158", 1)}, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := seenAs(t, test.format, test.lines, test.doubts...)
			if got := c.believable(today); got != test.want {
				t.Errorf("believed %v, want %v: %q, score %.3f, unsure %v, plain %v, failing %v",
					got, test.want, c.written(c.text), c.score, c.unsure, c.plain(), c.doc.FailingChecks())
			}
			if test.want && !slices.Equal(c.written(c.text), test.lines) {
				t.Errorf("read %q, want %q", c.written(c.text), test.lines)
			}
		})
	}
}

func TestScoresBelowTheFloorAreNotBelieved(t *testing.T) {
	t.Parallel()
	c := seenAs(t, mrz.TD3, passport)
	if c.score = ScoreFloor + 0.01; !c.believable(today) {
		t.Error("above the floor: not believed")
	}
	if c.score = ScoreFloor - 0.01; c.believable(today) {
		t.Error("below the floor: believed")
	}
	v := seenAs(t, mrz.MRVA, visa)
	if v.score = LooseFloor - 0.01; v.believable(today) {
		t.Error("a visa below its own floor: believed")
	}
}

func TestUnevenLinesAreNotBelieved(t *testing.T) {
	t.Parallel()
	bent := seenAs(t, mrz.TD3, passport)
	bent.lines[1].bend = mostBend + 0.1
	crowded := seenAs(t, mrz.TD3, passport)
	crowded.lines[0].cells[1].frame = crowded.lines[0].cells[0].frame + 1
	for name, c := range map[string]*candidate{"a character out of its place": bent, "two characters in one place": crowded} {
		if c.believable(today) {
			t.Errorf("%s: believed", name)
		}
	}
}

func TestRepairCostsLikelihood(t *testing.T) {
	t.Parallel()
	plain := seenAs(t, mrz.TD3, passport)
	mended := seenAs(t, mrz.TD3, passport, doubt{1, 1, '9', -2})
	if mended.cost != 2 || mended.score >= plain.score || !mended.valid() {
		t.Errorf("cost %f, score %f of %f, valid %v", mended.cost, mended.score, plain.score, mended.valid())
	}
	if !plain.better(mended) || mended.better(plain) || !mended.better(nil) {
		t.Error("a repaired reading is preferred to a plain one")
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	cells := make([]cell, 44)
	for i := range cells {
		cells[i].frame = 10 + 4.3*float32(i)
	}
	r := reading{k0: 5}
	at, bend := level(cells, r)
	if bend > 0.01 || at.step < 1.010 || at.step > 1.013 {
		t.Errorf("even: %+v, bend %f", at, bend)
	}
	if f := r.frame(at.from); f < 9.9 || f > 10.1 {
		t.Errorf("the first character is at frame %f, want 10", f)
	}
	for i := 30; i < len(cells); i++ {
		cells[i].frame += 4.3 // one character was left out
	}
	if moved, bend := level(cells, r); bend < 0.9 || moved.step < 1.005 || moved.step > 1.02 {
		t.Errorf("one left out: %+v, bend %f", moved, bend)
	}
}

func TestGrammars(t *testing.T) {
	t.Parallel()
	for _, g := range grammars() {
		if g.format == mrz.CHDL {
			t.Error("a format without check digits is read")
		}
		if len(g.lines) != len(g.format.Lines()) {
			t.Errorf("%s: %d lines", g.format, len(g.lines))
		}
		for i, sets := range g.lines {
			for k, s := range sets {
				if s == 0 || s&^all != 0 {
					t.Errorf("%s, line %d, place %d: allows %b", g.format, i, k, s)
				}
			}
		}
		for _, f := range g.states {
			for k := f.from; k < f.to; k++ {
				if !g.format.Class(f.line, k).Allows('Z') || g.format.Class(f.line, k).Allows('5') {
					t.Errorf("%s: line %d, place %d is not of a state", g.format, f.line, k)
				}
			}
		}
		loose := g.format == mrz.MRVA || g.format == mrz.MRVB || g.format == mrz.DL30
		if (g.floor == LooseFloor) != loose {
			t.Errorf("%s: floor %f", g.format, g.floor)
		}
	}
	codes := stateCodes()
	for _, want := range []string{"GBR", "D<<", "UTO", "FRA"} {
		c := code{place(want[0]), place(want[1]), place(want[2])}
		if !slices.Contains(codes, c) {
			t.Errorf("%s is not among %d codes", want, len(codes))
		}
	}
}

func TestTwins(t *testing.T) {
	t.Parallel()
	for a, b := range map[byte]byte{'O': '0', '0': 'O', 'I': '1', '1': 'I', 'B': '8', '8': 'B', 'S': '5', '6': 'G'} {
		if got := twin(place(a)); got != place(b) {
			t.Errorf("the twin of %c is %d, want %c", a, got, b)
		}
	}
	for _, c := range "A<79" {
		if twin(place(byte(c))) != -1 {
			t.Errorf("%c has a twin", c)
		}
	}
}
