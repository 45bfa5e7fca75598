package claim_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/proof"
)

// anyToken draws a token.
func anyToken(t *rapid.T) claim.Token {
	var random [10]byte
	copy(random[:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "random"))
	return claim.New(random)
}

func TestATokenReadsAsItIsTyped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyToken(t)
		for _, typed := range []string{
			string(want) + "\r\n", "\t" + string(want), strings.ToLower(string(want)), strings.ReplaceAll(string(want), "-", " "),
			strings.NewReplacer("0", "O", "1", "l", "-", "").Replace(string(want)),
		} {
			if got, err := claim.Parse(typed); err != nil || got != want {
				t.Fatalf("%q reads as %q: %v; want %q", typed, got, err, want)
			}
		}
	})
}

// TestSlipsOfThePenAreNoticed holds, for every place of a token and every other
// character in it, that no single wrong character gives another token, and no
// swap of neighbours either, those at the check characters among them.
func TestSlipsOfThePenAreNoticed(t *testing.T) {
	t.Parallel()
	taken := func(text []byte) bool {
		_, err := claim.Parse(string(text))
		return err == nil
	}
	rapid.Check(t, func(t *rapid.T) {
		token := []byte(strings.ReplaceAll(string(anyToken(t)), "-", ""))
		if !taken(token) {
			t.Fatalf("%s does not read", token)
		}
		for at, right := range token {
			for _, c := range []byte("0123456789ABCDEFGHJKMNPQRSTVWXYZ") {
				token[at] = c
				if c != right && taken(token) {
					t.Errorf("%c in place %d is not noticed in %s", c, at, token)
				}
			}
			token[at] = right
		}
		for at := range len(token) - 1 {
			swapped := slices.Clone(token)
			swapped[at], swapped[at+1] = swapped[at+1], swapped[at]
			if swapped[at] != swapped[at+1] && taken(swapped) {
				t.Errorf("%s is taken, with places %d and %d swapped", swapped, at, at+1)
			}
		}
	})
}

func TestWhatIsNoToken(t *testing.T) {
	t.Parallel()
	good := string(claim.New([10]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}))
	if _, err := claim.Parse(good); err != nil {
		t.Fatalf("a token does not read: %v", err)
	}
	for _, typed := range []string{"", good[:len(good)-1], good + "7", "U" + good[1:], strings.Repeat("0", 1000), good + "\x00",
		strings.Replace(good, "1", "\u0131", 1), // a dotless i
		strings.Replace(good, "0", "\u041e", 1), // a Cyrillic O
	} {
		got, err := claim.Parse(typed)
		if got != "" || proof.KindOf(err) != proof.KindTokenWrong {
			t.Errorf("%q reads as %q: %v", typed, got, err)
		}
		if err != nil && typed != "" && strings.Contains(err.Error(), typed) {
			t.Errorf("the error tells what was typed: %v", err)
		}
	}
}

func TestDigestsTellTokensApart(t *testing.T) {
	t.Parallel()
	a, b := claim.New([10]byte{1}), claim.New([10]byte{2})
	if a.Digest() == b.Digest() || strings.Contains(a.Digest(), string(a)) {
		t.Errorf("digests %s and %s", a.Digest(), b.Digest())
	}
	if groups := strings.Split(string(a), "-"); !slices.Equal([]int{len(groups), len(groups[0])}, []int{4, 5}) {
		t.Errorf("printed as %s", a)
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	for made, want := range map[proof.Date]string{
		{Year: 2026, Month: 11, Day: 22}: "2027-02-20",
		{Year: 2027, Month: 12, Day: 1}:  "2028-02-29",
	} {
		if got := claim.Until(made); got.String() != want {
			t.Errorf("a token of %s is good until %s, want %s", made, got, want)
		}
	}
}

// FuzzParse reads what anybody may type.
func FuzzParse(f *testing.F) {
	f.Add(string(claim.New([10]byte{9, 8, 7})))
	f.Add("OIL0-1")
	f.Add("\u0131\u017f \xff")
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := claim.Parse(typed)
		if err != nil {
			return
		}
		if again, err := claim.Parse(string(got)); err != nil || again != got {
			t.Errorf("%q reads as %q and that as %q: %v", typed, got, again, err)
		}
	})
}
