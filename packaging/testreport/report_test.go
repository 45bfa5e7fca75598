package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

// events writes lines as go test -json does; each is "action package test output".
func events(t *testing.T, lines ...[4]string) string {
	t.Helper()
	var b strings.Builder
	for _, l := range lines {
		e := event{Action: l[0], Package: l[1], Test: l[2], Output: l[3]}
		if strings.HasPrefix(e.Action, "build-") {
			e.Package, e.ImportPath = "", l[1]
		}
		j, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(j, '\n'))
	}
	return b.String()
}

func TestShow(t *testing.T) {
	t.Parallel()
	start, end := [4]string{"start", "m/a"}, [4]string{"pass", "m/a"}
	passed := [][4]string{
		{"run", "m/a", "TestA"}, {"output", "m/a", "TestA", "=== RUN   TestA\n"}, {"output", "m/a", "TestA", "secret of A\n"},
		{"pass", "m/a", "TestA"}, {"output", "m/a", "", "PASS\n"}, {"output", "m/a", "", "ok  \tm/a\t0.1s\n"},
	}
	failed := [][4]string{
		{"output", "m/a", "TestB", "    a_test.go:7: got 1, want 2\n"}, {"output", "m/a", "TestB", "--- FAIL: TestB (0.00s)\n"},
		{"fail", "m/a", "TestB"}, {"output", "m/a", "", "FAIL\tm/a\t0.1s\n"}, {"fail", "m/a"},
	}
	tests := []struct {
		name  string
		lines [][4]string
		ok    bool
		want  []string
		not   []string
	}{
		{"pass", append(append([][4]string{start}, passed...), end), true,
			[]string{"ok  \tm/a\t0.1s\n", "\n1 passed, 0 failed, 0 skipped\n"}, []string{"secret", "SKIPPED", "PASS", "no test ran"}},
		{"fail", append(append([][4]string{start}, passed...), failed...), false,
			[]string{"got 1, want 2", "--- FAIL: TestB", "FAIL\tm/a", "failed m/a", "1 passed, 1 failed, 0 skipped\n"}, []string{"secret"}},
		{"skip", append(append([][4]string{start}, passed...),
			[4]string{"output", "m/a", "TestC", "    c_test.go:9: no X server here\n"},
			[4]string{"output", "m/a", "TestC", "--- SKIP: TestC (0.00s)\n"}, [4]string{"skip", "m/a", "TestC"}, end), true,
			[]string{"1 SKIPPED", "skipped m/a TestC: c_test.go:9: no X server here\n", "1 passed, 0 failed, 1 skipped\n"}, []string{"--- SKIP"}},
		{"a skip that is silent", append(append([][4]string{start}, passed...), [4]string{"skip", "m/a", "TestC"}, end), true,
			[]string{"TestC: no reason given"}, nil},
		{"no test files", append(append([][4]string{start}, passed...), end, [4]string{"start", "m/b"},
			[4]string{"output", "m/b", "", "?   \tm/b\t[no test files]\n"}, [4]string{"skip", "m/b"}), true,
			[]string{"?   \tm/b", "1 passed, 0 failed, 0 skipped\n"}, []string{"SKIPPED"}},
		{"a build that failed", [][4]string{{"build-output", "m/a", "", "a.go:3:1: syntax error\n"}, {"build-fail", "m/a"},
			start, {"output", "m/a", "", "FAIL\tm/a [build failed]\n"}, {"fail", "m/a"}}, false,
			[]string{"a.go:3:1: syntax error", "FAIL\tm/a [build failed]", "failed m/a", "no test ran"}, nil},
		{"a panic", [][4]string{start, {"output", "m/a", "TestD", "=== RUN   TestD\n"}, {"output", "m/a", "TestD", "panic: oh\n"},
			{"output", "m/a", "", "exit status 2\n"}, {"fail", "m/a"}}, false,
			[]string{"panic: oh", "exit status 2", "failed m/a"}, nil},
		{"cut off", append([][4]string{start}, passed...), false, []string{"never ended m/a"}, nil},
		{"nothing at all", nil, false, []string{"no test ran", "0 passed, 0 failed, 0 skipped\n"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			ok, err := show(strings.NewReader(events(t, tt.lines...)), &out)
			if err != nil || ok != tt.ok {
				t.Errorf("got %v, %v, want %v", ok, err, tt.ok)
			}
			for _, s := range tt.want {
				if !strings.Contains(out.String(), s) {
					t.Errorf("lacks %q:\n%s", s, out.String())
				}
			}
			for _, s := range tt.not {
				if strings.Contains(out.String(), s) {
					t.Errorf("has %q:\n%s", s, out.String())
				}
			}
		})
	}
}

// TestOtherLines passes on what go prints beside its events.
func TestOtherLines(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	ok, err := show(strings.NewReader("go: cannot find main module\n{\"no\":\"event\"}\n"), &out)
	if err != nil || ok {
		t.Errorf("got %v, %v, want not ok", ok, err)
	}
	if !strings.HasPrefix(out.String(), "go: cannot find main module\n{\"no\":\"event\"}\n") {
		t.Errorf("got %q", out.String())
	}
}

func TestReadingFails(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut")
	ok, err := show(iotest.ErrReader(cut), &strings.Builder{})
	if ok || !errors.Is(err, cut) {
		t.Errorf("got %v, %v, want not ok and the reader's error", ok, err)
	}
}
