package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/face"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/spf13/cobra"
)

// Bounds of a list of pairs.
const (
	maxPairs    = 1_000_000
	maxPairLine = 4096 // bytes
)

// falseMatches is the share of pairs of strangers that may match at the
// threshold that is looked for.
const falseMatches = 1e-3

// facePair is a line of a list: two pictures, and whether they are known to show
// one person.
type facePair struct {
	a, b        string
	known, same bool
}

// facePairAnswer is what a matcher says of a pair. The score is that of the main
// faces, also where a picture shows several; 0 where one shows none.
type facePairAnswer struct {
	A        string             `json:"a"`
	B        string             `json:"b"`
	Score    float64            `json:"score"`
	Decision proof.FaceDecision `json:"decision"`
	Faces    [2]int             `json:"faces"`
}

// facePairsSummary is how a matcher does on the whole list. What the list does
// not tell is null.
type facePairsSummary struct {
	Pairs int `json:"pairs"`
	// Accuracy is the share of the pairs marked 1 or 0 that the profile's own
	// threshold of a match puts on the right side.
	Accuracy *float64 `json:"accuracy"`
	// FNMR is the share of the pairs marked 1 below Threshold.
	FNMR *float64 `json:"fnmr"`
	// FMR is the share of all pairs of strangers at Threshold or above.
	FMR *float64 `json:"fmr"`
	// Threshold is the least score with an FMR of at most one in a thousand.
	Threshold *float64 `json:"threshold"`
}

// faceCommand is "inspect face".
func faceCommand() *cobra.Command {
	pairs, profile := "", ""
	cmd := &cobra.Command{
		Use: "face --pairs FILE", Short: "Measure the face matcher on pairs of pictures",
		Long: `Compares pairs of pictures and measures the matcher. FILE has a line "A B" or
"A B 1" (one person) or "A B 0" (two) for each pair, with picture files (JPEG,
PNG) relative to FILE. The last line of the answer is a summary: accuracy by the
profile's own threshold; and FNMR at the threshold that lets one in a thousand
of all pairs of strangers among the pictures match.

Strangers are pictures of different people. People are told by pairs marked 1
and by their files: pictures in one folder whose names differ only in the number
at the end, as in Name_0001.jpg, are taken for one person, unless a pair marked
0 says that the names do not tell people apart.

The pictures are used for nothing else and nothing of them is kept. Use only
such as may lawfully be used to measure a matcher.`,
		Example: `  counterproofd inspect face --pairs pairs.txt
  counterproofd inspect face --pairs pairs.txt --profile other-network.json`,
		Args: strictly(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if pairs == "" {
				return &NotUnderstood{commandLine, errors.New("--pairs is missing")}
			}
			e, err := face.Open(face.Config{Profile: profile})
			if err != nil {
				return err
			}
			defer e.Close()
			return facePairs(e, pairs, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&pairs, "pairs", "", "the list of pairs")
	cmd.Flags().StringVar(&profile, "profile", "", "measure the matcher of this face profile (default "+face.Default+")")
	return cmd
}

// facePairs answers every pair of a list in its order, then the summary. Each
// picture is looked at once. What is no picture shows no face; a file that
// cannot be opened ends the run. Progress goes to standard error.
func facePairs(e *face.Engine, listFile string, out io.Writer) error {
	list, err := os.Open(listFile)
	if err != nil {
		return &NotUnderstood{listFile, err}
	}
	defer list.Close()
	pairs, err := readPairs(list)
	if err != nil {
		return &NotUnderstood{listFile, err}
	}
	trial, err := e.Trial(face.Measuring())
	if err != nil {
		return err
	}
	defer trial.Close()
	m := measurement{trial: trial, folder: filepath.Dir(listFile), numbers: map[string]int{}}
	for i, p := range pairs {
		if i%100 == 0 {
			fmt.Fprintf(os.Stderr, "inspect face: %d of %d pairs\n", i, len(pairs))
		}
		if err := m.answer(p, out); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "inspect face: %d of %d pairs, now the strangers among %d pictures\n", len(pairs), len(pairs), len(m.files))
	strangers := trial.Strangers(people(m.files, pairs), falseMatches)
	return writeLine(out, summarise(pairs, m.scores, e.Profile().Thresholds.Confirm, strangers))
}

// measurement is a run over a list.
type measurement struct {
	trial   *face.Trial
	folder  string
	numbers map[string]int // of the pictures in the trial, by their files
	files   []string       // in the trial's order
	scores  []float64      // of the pairs; -Inf where nothing was compared
}

// answer compares a pair and writes its line.
func (m *measurement) answer(p facePair, out io.Writer) error {
	i, err := m.number(p.a)
	if err != nil {
		return err
	}
	j, err := m.number(p.b)
	if err != nil {
		return err
	}
	c := m.trial.Compare(i, j)
	score := c.Score
	if c.Decision == proof.NoFace {
		score = math.Inf(-1)
	}
	m.scores = append(m.scores, score)
	return writeLine(out, facePairAnswer{p.a, p.b, c.Score, c.Decision, c.Faces})
}

// number takes a picture into the trial when it is first named.
func (m *measurement) number(file string) (int, error) {
	if n, ok := m.numbers[file]; ok {
		return n, nil
	}
	raw, err := readPicture(filepath.Join(m.folder, filepath.FromSlash(file)))
	if err != nil {
		return 0, &NotUnderstood{file, err}
	}
	n := -1
	img, err := capture.Decode(raw)
	if err == nil {
		n, _, err = m.trial.Add(img)
	}
	switch proof.KindOf(err) {
	case proof.KindNone:
	case proof.KindPictureCorrupt, proof.KindPictureHuge, proof.KindPictureTiny, proof.KindNotPicture:
		fmt.Fprintf(os.Stderr, "inspect face: %s: %v; it counts as showing no face\n", file, err)
		n = m.trial.AddNobody()
	default:
		return 0, err
	}
	m.numbers[file] = n
	m.files = append(m.files, file)
	return n, nil
}

// readPairs reads a list of pairs. Empty lines and lines that begin with # are
// left out.
func readPairs(r io.Reader) ([]facePair, error) {
	var pairs []facePair
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxPairLine), maxPairLine)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) < 2 || len(words) > 3 || len(words) == 3 && words[2] != "0" && words[2] != "1" {
			return nil, fmt.Errorf("line %d is not two pictures with 1, 0 or nothing behind them", n)
		}
		if len(pairs) == maxPairs {
			return nil, fmt.Errorf("it has more than %d pairs", maxPairs)
		}
		pairs = append(pairs, facePair{words[0], words[1], len(words) == 3, words[len(words)-1] == "1" && len(words) == 3})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", len(pairs)+1, err)
	}
	if len(pairs) == 0 {
		return nil, errors.New("it has no pair")
	}
	return pairs, nil
}

// people tells which pictures show one person: those of pairs marked 1, and
// those whose files are named alike. Names are believed unless a pair marked 0
// has one name. Two people taken for one only make the sample of strangers
// smaller; one person taken for two makes the matcher look worse than it is.
func people(files []string, pairs []facePair) []int {
	same := groups{}
	named := true
	for _, p := range pairs {
		if p.same {
			same.join(p.a, p.b)
		} else if p.known && nameOf(p.a) == nameOf(p.b) {
			named = false
		}
	}
	if named {
		for _, f := range files {
			same.join(f, nameOf(f)+"\x00") // no file has such a name
		}
	}
	who := make([]int, len(files))
	numbers := map[string]int{}
	for i, f := range files {
		root := same.root(f)
		if _, ok := numbers[root]; !ok {
			numbers[root] = len(numbers)
		}
		who[i] = numbers[root]
	}
	return who
}

// nameOf is what a file is called without the number at its end, with its
// folder: people/Ann_0001.jpg is people/Ann; people/0001.jpg is people.
func nameOf(file string) string {
	folder, base := filepath.Split(filepath.ToSlash(file))
	base = strings.TrimSuffix(base, filepath.Ext(base))
	base = strings.TrimRight(strings.TrimRight(base, "0123456789"), "_-. ")
	return folder + base
}

// groups joins names that belong together.
type groups map[string]string

// root is the one name that stands for a group.
func (g groups) root(name string) string {
	for g[name] != "" && g[name] != name {
		if up := g[g[name]]; up != "" {
			g[name] = up
		}
		name = g[name]
	}
	return name
}

// join makes one group of two.
func (g groups) join(a, b string) { g[g.root(a)] = g.root(b) }

// summarise counts what the scores come to. A pair that was not compared is on
// the side of no match.
func summarise(pairs []facePair, scores []float64, confirm float64, s face.Strangers) facePairsSummary {
	marked := map[bool]int{} // pairs by whether they show one person
	right, missed := 0, 0
	for i, p := range pairs {
		if !p.known {
			continue
		}
		marked[p.same]++
		if (scores[i] >= confirm) == p.same {
			right++
		}
		if p.same && scores[i] < s.Threshold {
			missed++
		}
	}
	sum := facePairsSummary{Pairs: len(pairs), Accuracy: part(right, marked[true]+marked[false])}
	if s.Pairs > 0 {
		sum.FNMR, sum.FMR, sum.Threshold = part(missed, marked[true]), &s.Rate, &s.Threshold
	}
	return sum
}

// part is a share, or nil of nothing.
func part(n, of int) *float64 {
	if of == 0 {
		return nil
	}
	share := float64(n) / float64(of)
	return &share
}
