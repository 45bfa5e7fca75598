package profile

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The grammar of udev(7) as far as these rules use it: for each key the
// operators that it takes, and whether it has a name in braces.
var udevKeys = map[string]struct {
	ops    []string
	braces bool
}{
	"ACTION": {[]string{"==", "!="}, false}, "SUBSYSTEM": {[]string{"==", "!="}, false},
	"KERNEL": {[]string{"==", "!="}, false}, "KERNELS": {[]string{"==", "!="}, false},
	"ATTR": {[]string{"==", "!=", "="}, true}, "ATTRS": {[]string{"==", "!="}, true},
	"ENV": {[]string{"==", "!=", "="}, true}, "TEST": {[]string{"==", "!="}, false},
	"TAG": {[]string{"+="}, false}, "GROUP": {[]string{"="}, false}, "MODE": {[]string{"="}, false},
	"GOTO": {[]string{"="}, false}, "LABEL": {[]string{"="}, false},
}

var (
	udevToken = regexp.MustCompile(`^([A-Z]+)(?:\{([A-Za-z0-9_/]+)\})?(==|!=|\+=|=)"([^"\\]*)"$`)
	udevMode  = regexp.MustCompile(`^0[0-7]{3}$`)
)

// faults checks rules of udev and says what is wrong with which line.
func faults(rules string) []string {
	var out []string
	wrong := func(n int, format string, args ...any) {
		out = append(out, fmt.Sprintf("line %d: ", n+1)+fmt.Sprintf(format, args...))
	}
	jumps, labels := map[string]int{}, map[string]int{}
	if !strings.HasSuffix(rules, "\n") {
		out = append(out, "the last line has no end")
	}
	for n, line := range strings.Split(strings.TrimSuffix(rules, "\n"), "\n") {
		if strings.ContainsAny(line, "\r\t\x00") || strings.HasSuffix(line, "\\") {
			wrong(n, "it has a character that does not belong")
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		tokens := strings.Split(line, ", ")
		asks, does := 0, 0
		var above []string
		for _, token := range tokens {
			m := udevToken.FindStringSubmatch(token)
			if m == nil {
				wrong(n, "%q is no pair of key and value", token)
				continue
			}
			key, name, op, value := m[1], m[2], m[3], m[4]
			k, known := udevKeys[key]
			switch {
			case !known:
				wrong(n, "there is no key %s", key)
			case k.braces != (name != ""):
				wrong(n, "%s and its braces", key)
			case !slices.Contains(k.ops, op):
				wrong(n, "%s does not take %s", key, op)
			case value == "":
				wrong(n, "%s has no value", key)
			case key == "MODE" && !udevMode.MatchString(value):
				wrong(n, "mode %s", value)
			case key == "GOTO":
				jumps[value] = n
			case key == "LABEL":
				labels[value] = n
			}
			if strings.HasPrefix(name, "bInterface") || name == "ieee1284_id" {
				above = append(above, "interface")
			} else if key == "ATTRS" || key == "KERNELS" {
				above = append(above, "device")
			}
			if op == "==" || op == "!=" {
				asks++
			} else {
				does++
			}
		}
		slices.Sort(above)
		if len(slices.Compact(above)) > 1 {
			wrong(n, "it asks two different things above at once, which is never true")
		}
		if does == 0 || asks == 0 && !strings.HasPrefix(line, "LABEL=") {
			wrong(n, "it asks %d things and does %d", asks, does)
		}
	}
	for name, n := range jumps {
		if at, ok := labels[name]; !ok || at < n {
			wrong(n, "no label %s comes after it", name)
		}
	}
	return out
}

func TestUdevGolden(t *testing.T) {
	t.Parallel()
	got := siteSet(t).Udev()
	path := filepath.Join("testdata", RulesFile)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the rules are others than in %s (write it anew by -update and read it):\n%s", path, got)
	}
	if bad := faults(string(got)); len(bad) > 0 {
		t.Errorf("the rules break the grammar of udev: %q", bad)
	}
}

// siteSet is the program's profiles with pins of every sort.
func siteSet(tb testing.TB) Set {
	tb.Helper()
	set := Embedded().With(
		pinned(tb, "site-elyctis", "elyctis-idbox", `{"bus": "serial", "vendor": "1234", "product": "5678"}`),
		pinned(tb, "site-desko", "desko-cute", `{"bus": "serial", "port_path": "3-1.4"}`),
		pinned(tb, "site-rte", "rte-native", `{"bus": "serial", "port_path": "ttyS0"}`),
		pinned(tb, "site-cable", "rte-native", `{"bus": "serial", "vendor": "0403", "product": "6001", "serial_number": "AB12"}`),
		pinned(tb, "site-camera", "uvc", `{"bus": "video", "vendor": "1234", "product": "9abc"}`),
		pinned(tb, "site-scanner", "escl", `{"bus": "net", "port_path": "192.0.2.7:80"}`),
	)
	if bad := set.Problems(); len(bad) > 0 {
		tb.Fatal(bad)
	}
	return set
}

func pinned(tb testing.TB, id, like, match string) Profile {
	tb.Helper()
	p, err := Parse(fmt.Appendf(nil, `{"id": %q, "like": %q, "match": [%s]}`, id, like, match))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// TestUdevServes holds what the rules are for.
func TestUdevServes(t *testing.T) {
	t.Parallel()
	set := siteSet(t)
	rules := string(set.Udev())
	for _, p := range set.All() {
		lines := strings.Join(p.rules(), "\n")
		switch p.Transport {
		case OverSerial:
			if len(p.Match) > 0 && (!strings.Contains(lines, `ENV{ID_MM_DEVICE_IGNORE}="1"`) || !strings.Contains(lines, `TAG+="uaccess"`)) {
				t.Errorf("%s: ModemManager or the person at the screen is forgotten:\n%s", p.ID, lines)
			}
		case OverHID:
			if !strings.Contains(lines, `GROUP="usbscanner"`) || !strings.Contains(lines, `ATTR{power/control}="on"`) {
				t.Errorf("%s: the group or the power is forgotten:\n%s", p.ID, lines)
			}
		case OverLP:
			if !strings.Contains(lines, `GROUP="lp"`) || !strings.Contains(lines, `KERNEL=="lp[0-9]*"`) {
				t.Errorf("%s: printers have no rule:\n%s", p.ID, lines)
			}
		case OverNothing, OverPCSC, OverESCL, OverSANE:
			if lines != "" {
				t.Errorf("%s: it has a rule and nobody here opens it:\n%s", p.ID, lines)
			}
		}
		if (p.Rule() != "") != (lines != "") || p.Rule() != "" && !strings.Contains(rules, "\n# "+p.ID+": ") {
			t.Errorf("%s: the rule is named %q, and its lines are\n%s", p.ID, p.Rule(), lines)
		}
	}
	p, _ := set.Find("site-elyctis")
	if got, want := p.Rule(), "70-counterproof.rules (site-elyctis)"; got != want {
		t.Errorf("rule: got %q, want %q", got, want)
	}
}

// TestUdevIsCareful holds that no rule is for everything of a kind.
func TestUdevIsCareful(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(string(siteSet(t).Udev())) {
		if !strings.Contains(line, "uaccess") || strings.HasPrefix(line, "#") {
			continue
		}
		told := regexp.MustCompile(`idVendor|KERNELS=="[0-9]|ieee1284_id|KERNEL=="ttyS0"|SUBSYSTEM=="video4linux", ATTRS\{bInterfaceClass\}=="0e"`)
		if !told.MatchString(line) {
			t.Errorf("it opens what nobody named: %s", line)
		}
	}
	generic, err := Parse(embedded(t, "hidpos", []any{map[string]any{"bus": "hid", "usage_page": "008c"}}, "match"))
	if err != nil || generic.Rule() != "" {
		t.Errorf("a usage page has a rule %q (%v), and udev does not see usage pages", generic.Rule(), err)
	}
}

// TestUdevChecker is the checker's negative control.
func TestUdevChecker(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"no-quotes":         `SUBSYSTEM==tty, TAG+="uaccess"`,
		"open-quote":        `SUBSYSTEM=="tty, TAG+="uaccess"`,
		"unknown-key":       `SUBSYS=="tty", TAG+="uaccess"`,
		"operator":          `SUBSYSTEM="tty", TAG+="uaccess"`,
		"braces-missing":    `ATTRS=="1234", TAG+="uaccess"`,
		"braces-too-many":   `SUBSYSTEM{x}=="tty", TAG+="uaccess"`,
		"two-parents":       `SUBSYSTEM=="hidraw", ATTRS{idVendor}=="1234", ATTRS{bInterfaceClass}=="03", TAG+="uaccess"`,
		"jump-to-nowhere":   `SUBSYSTEM=="tty", GOTO="nowhere"`,
		"does-nothing":      `SUBSYSTEM=="tty"`,
		"for-everything":    `TAG+="uaccess"`,
		"mode":              `SUBSYSTEM=="tty", MODE="rw"`,
		"empty-value":       `SUBSYSTEM=="", TAG+="uaccess"`,
		"comma-without-gap": `SUBSYSTEM=="tty",TAG+="uaccess"`,
	} {
		if len(faults(line+"\n")) == 0 {
			t.Errorf("%s: nothing was found", name)
		}
	}
	if bad := faults("# a\n\nSUBSYSTEM==\"tty\", TAG+=\"uaccess\"\n"); len(bad) > 0 {
		t.Errorf("a good rule is refused: %q", bad)
	}
}

// TestUdevadm asks udev itself where it can be asked.
func TestUdevadm(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("udevadm")
	if err != nil {
		t.Skip("SKIPPED: this machine has no udevadm, so udev did not judge the rules itself")
	}
	if exec.Command(tool, "verify", "--help").Run() != nil {
		t.Skip("SKIPPED: this machine's udevadm has no verify (systemd 254 has), so udev did not judge the rules itself")
	}
	path := filepath.Join(t.TempDir(), RulesFile)
	if err := os.WriteFile(path, siteSet(t).Udev(), 0o644); err != nil {
		t.Fatal(err)
	}
	// Early: whether a group exists is asked of the machine and not of the rules.
	if out, err := exec.Command(tool, "verify", "--resolve-names=never", "--no-style", path).CombinedOutput(); err != nil {
		t.Errorf("udevadm verify: %v\n%s", err, out)
	}
}
