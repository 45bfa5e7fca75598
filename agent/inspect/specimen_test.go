package inspect

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestSpecimensAreTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	one, truths := specimens(t, 2)
	two, _ := specimens(t, 2)
	if len(truths) != 2 || truths[0].Format == truths[1].Format {
		t.Errorf("truths %+v", truths)
	}
	for _, name := range []string{truthFile, truths[0].File, truths[1].File} {
		a, errA := os.ReadFile(filepath.Join(one, name))
		b, errB := os.ReadFile(filepath.Join(two, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v, %v", name, errA, errB)
		}
	}
	if truths[0].Pitch < 5 || truths[0].Zone[0] == truths[0].Zone[1] || truths[0].Condition == "" {
		t.Errorf("truth %+v", truths[0])
	}
}

func TestSpecimenRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"no photographs":           {[]string{"--count", "0"}, 2},
		"far too many":             {[]string{"--count", "1000000"}, 2},
		"a word for a number":      {[]string{"--count", "many"}, 2},
		"a file for a folder":      {[]string{"--out", file}, 1},
		"something without a flag": {[]string{"here"}, 2},
	} {
		_, err := runCommand(t, "", append([]string{"specimen"}, c.args...)...)
		if got := ExitCode(err); got != c.code {
			t.Errorf("%s: exit code %d, want %d (%v)", name, got, c.code, err)
		}
	}
}
