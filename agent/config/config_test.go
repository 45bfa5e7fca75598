package config_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/config"
)

// file writes a configuration and gives its name.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "counter.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDefaultsAreValid(t *testing.T) {
	c, err := config.Read("")
	if err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	if c.Data == "" || c.CaptureTime() != time.Minute || c.SocketPath() != filepath.Join(c.Data, "daemon.sock") {
		t.Errorf("defaults are %+v", c)
	}
}

func TestFileOverDefaults(t *testing.T) {
	c, err := config.Read(file(t, `{"site":"FWC87","capture_seconds":30,"socket":"/run/x.sock","document_camera":"sim:pages"}`))
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	if c.Site != "FWC87" || c.CaptureTime() != 30*time.Second || c.SocketPath() != "/run/x.sock" || c.Policy == "" {
		t.Errorf("got %+v", c)
	}
}

// Devices that are plugged in are named as "devices list" names them.
func TestDevicesAreNamed(t *testing.T) {
	c, err := config.Read(file(t, `{"data":"/d","document_camera":"usb:1-2/046d:0825","face_camera":"usb:1-3/046d:0825","printer":"usb:1-4/04b8:0202/P9"}`))
	if err != nil || !c.Plugs || c.ProfilesPath() != "/d/profiles" {
		t.Fatalf("got %+v, %v", c, err)
	}
	for v, want := range map[string]string{c.Printer: c.Printer, "file:/slips": "", "sim:pages": "", "": "", "usb:": "", "serial:ttyS0": "serial:ttyS0"} {
		if got := config.Pinned(v); got != want {
			t.Errorf("%q names %q, want %q", v, got, want)
		}
	}
	if c, err := config.Read(file(t, `{"plugs":false,"profiles":"/p"}`)); err != nil || c.Plugs || c.ProfilesPath() != "/p" {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestTemplates(t *testing.T) {
	c, err := config.Read(file(t, `{"uvir_templates":"2026-05-31"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Templates(); err != nil || got.String() != "2026-05-31" {
		t.Errorf("got %s: %v", got, err)
	}
	if got, err := config.Default().Templates(); err != nil || got.Year != 0 {
		t.Errorf("without a lamp got %s: %v", got, err)
	}
}

func TestStateFolder(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/xdg")
	if got := config.Default().Data; got != "/xdg/counterproof" {
		t.Errorf("under XDG_STATE_HOME data is %s", got)
	}
	t.Setenv("STATE_DIRECTORY", "/var/lib/counterproof")
	if got := config.Default().Data; got != "/var/lib/counterproof" {
		t.Errorf("under a service manager data is %s", got)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for text, word := range map[string]string{
		`{"sight":"FWC87"}`:         "sight",
		`{"data":""}`:               "data",
		`{"uvir_templates":"soon"}`: "uvir_templates",
		`{"policy":""}`:             "policy",
		`{"languages":[]}`:          "languages",
		`{"capture_seconds":1}`:     "capture_seconds",
		`{"document_camera":"usb"}`: "document_camera",
		`{"printer":"lp0"}`:         "printer",
		`{"chip_reader":"pcsc"}`:    "chip_reader",
		`{"trust_key":"c2hvcnQ="}`:  "trust_key",
		`{"trust_key":"?"}`:         "trust_key",
		`{"key_grade":"gold"}`:      "key_grade",
		`{"proxy":"proxy:3128"}`:    "proxy",
		`{"day_bytes":-1}`:          "day_bytes",
		`{"document_camera":"usb:1/a:b","face_camera":"usb:1/a:b"}`: "face_camera",
		`{"socket":"` + strings.Repeat("x", 200) + `"}`:             "socket",
		`{`: "reading the configuration",
	} {
		if _, err := config.Read(file(t, text)); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%.40s gives %v, want a word of %s", text, err, word)
		}
	}
	if _, err := config.Read(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestTrust(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	c, err := config.Read(file(t, `{"data":"/d","chip_reader":"pcsc:Reader 00","trust_key":"`+base64.StdEncoding.EncodeToString(key)+`"}`))
	if err != nil || c.TrustPath() != filepath.Join("/d", "trust") {
		t.Errorf("the folder is %s: %v", c.TrustPath(), err)
	}
	if got, err := c.Signer(); err != nil || !bytes.Equal(got, key) {
		t.Errorf("the key is %x: %v", got, err)
	}
	if none, err := config.Default().Signer(); err != nil || none != nil {
		t.Errorf("by default the key is %x: %v", none, err)
	}
	c.Trust = "/media/trust"
	if c.TrustPath() != "/media/trust" {
		t.Errorf("the folder is %s", c.TrustPath())
	}
}
