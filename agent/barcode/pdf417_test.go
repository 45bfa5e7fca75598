package barcode

import (
	_ "embed"
	"math/big"
	"strings"
	"testing"
)

// pdf417Patterns holds the widths of the four bars and four spaces of every
// codeword, a line each, for the clusters 0, 3 and 6 (ISO/IEC 15438 annex A).
//
//go:embed testdata/pdf417.txt
var pdf417Patterns string

// pdf417Base is the number of codewords, the prime of the error correction.
const pdf417Base = 929

// Codewords that change the mode.
const (
	toText, toBytes, toBytesBy6, shiftByte, toDigits = 900, 901, 924, 913, 902
)

// pdf417Bytes encodes bytes as byte compaction does: six in five codewords.
func pdf417Bytes(b []byte) []int {
	words := []int{toBytes}
	if len(b)%6 == 0 {
		words[0] = toBytesBy6
	}
	for ; len(b) >= 6; b = b[6:] {
		words = append(words, digits(new(big.Int).SetBytes(b[:6]), 5)...)
	}
	for _, c := range b {
		words = append(words, int(c))
	}
	return words
}

// pdf417Digits encodes digits as numeric compaction does.
func pdf417Digits(s string) []int {
	words := []int{toDigits}
	for s != "" {
		n := min(44, len(s))
		v, _ := new(big.Int).SetString("1"+s[:n], 10)
		words = append(words, digits(v, n/3+1)...)
		s = s[n:]
	}
	return words
}

// digits writes a number with base 900.
func digits(v *big.Int, n int) []int {
	words := make([]int, n)
	rest := new(big.Int)
	for i := n - 1; i >= 0; i-- {
		v, rest = new(big.Int).DivMod(v, big.NewInt(900), rest)
		words[i] = int(rest.Int64())
	}
	return words
}

// The alphabets of text compaction; the last places change the alphabet.
var pdf417Alphabets = []string{
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ ",
	"abcdefghijklmnopqrstuvwxyz ",
	"0123456789&\r\t,:#-.$/+%*=^\x00 ",
	";<>@[\\]_`~!\r\t,:\n-.$/\"|*()?{}'",
}

// pdf417Text encodes text as text compaction does, as cards have it; what is in
// no alphabet goes through the byte shift.
func pdf417Text(s string) []int {
	const lower, mixed, upperFromMixed, lowerFromMixed, upperFromPunctuation, punctuationOnce = 27, 28, 28, 27, 29, 29
	latch := map[[2]int][]int{
		{0, 1}: {lower}, {0, 2}: {mixed},
		{1, 0}: {mixed, upperFromMixed}, {1, 2}: {mixed},
		{2, 0}: {upperFromMixed}, {2, 1}: {lowerFromMixed},
	}
	var words, half []int
	flush := func() {
		if len(half)%2 == 1 {
			half = append(half, punctuationOnce)
		}
		for ; len(half) > 0; half = half[2:] {
			words = append(words, 30*half[0]+half[1])
		}
	}
	in := 0
	for _, c := range []byte(s) {
		if strings.IndexByte(pdf417Alphabets[in], c) < 0 {
			for to := range 3 {
				if strings.IndexByte(pdf417Alphabets[to], c) >= 0 {
					half, in = append(half, latch[[2]int{in, to}]...), to
					break
				}
			}
		}
		if at := strings.IndexByte(pdf417Alphabets[in], c); at >= 0 {
			half = append(half, at)
		} else if at := strings.IndexByte(pdf417Alphabets[3], c); at >= 0 {
			half = append(half, punctuationOnce, at)
		} else {
			// A shift made for padding would swallow nothing: the byte follows.
			flush()
			words = append(words, shiftByte, int(c))
		}
	}
	flush()
	return append([]int{toText}, words...)
}

// correction is the error correction of codewords, 2^(level+1) of them.
func correction(words []int, level int) []int {
	n := 2 << level
	generator := []int{1}
	for i := range n {
		root := new(big.Int).Exp(big.NewInt(3), big.NewInt(int64(i+1)), big.NewInt(pdf417Base)).Int64()
		next := make([]int, len(generator)+1)
		for k, c := range generator {
			next[k] = (next[k] + c) % pdf417Base
			next[k+1] = (next[k+1] + c*(pdf417Base-int(root))) % pdf417Base
		}
		generator = next
	}
	rest := make([]int, n+1)
	for _, w := range words {
		first := (w + rest[0]) % pdf417Base
		for k := range n {
			rest[k] = (rest[k+1] + first*(pdf417Base-generator[k+1])) % pdf417Base
		}
	}
	for k := range n {
		rest[k] = (pdf417Base - rest[k]) % pdf417Base
	}
	return rest[:n]
}

// pdf417 draws a symbol of codewords: a matrix of modules, whose rows stand for
// rows that are three modules high.
func pdf417(tb testing.TB, words []int, columns, level int) drawing {
	tb.Helper()
	rows := (1 + len(words) + 2<<level + columns - 1) / columns
	rows = max(3, rows)
	all := append([]int{rows*columns - 2<<level}, words...)
	for len(all) < all[0] {
		all = append(all, toText) // padding
	}
	all = append(all, correction(all, level)...)
	lines := strings.Split(strings.TrimSpace(pdf417Patterns), "\n")
	if rows > 90 || len(lines) != pdf417Base {
		tb.Fatalf("%d rows, %d patterns", rows, len(lines))
	}
	d := drawing{rowHeight: 3}
	for r := range rows {
		base := 30 * (r / 3)
		ends := [3]int{base + (rows-1)/3, base + 3*level + (rows-1)%3, base + columns - 1}
		widths := "81111113"
		seq := append([]int{ends[r%3]}, all[r*columns:(r+1)*columns]...)
		for _, w := range append(seq, ends[(r+2)%3]) {
			widths += strings.Fields(lines[w])[r%3]
		}
		d.modules = append(d.modules, bars(widths+"711311121"))
	}
	return d
}

// bars draws bars and spaces by turns.
func bars(widths string) []bool {
	var row []bool
	for i, w := range widths {
		for range w - '0' {
			row = append(row, i%2 == 0)
		}
	}
	return row
}
