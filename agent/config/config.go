// Package config is the counter's configuration: one struct, sensible defaults,
// one Validate. Every key is documented here, once. The file is JSON; a key
// that nobody knows is an error, because a misspelt setting would silently not
// be set.
//
// It decides nothing and holds no secret.
package config

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Config is how one counter is set up.
type Config struct {
	// Data is the folder of everything that the daemon keeps: identity, queue,
	// drafts, accounts. Default: counterproof under the user's state folder.
	Data string `json:"data"`
	// Socket is the path of the local interface. Default: daemon.sock under Data.
	Socket string `json:"socket"`
	// Users are the numeric ids of the users who may speak to the daemon besides
	// its own and root.
	Users []int `json:"users"`
	// Site is the ODS code of the place, shown on slips; the centre's word from
	// the enrolment is taken where it is empty.
	Site string `json:"site"`
	// Models is the folder with the face models. Empty looks in the usual places.
	Models string `json:"models"`
	// Policy is the version of the GPG 45 policy.
	Policy string `json:"policy"`
	// Languages are offered to patients, the first by default (BCP 47).
	Languages []string `json:"languages"`
	// Plugs says whether the devices that are plugged into this computer are
	// used. Default: true.
	Plugs bool `json:"plugs"`
	// Profiles is the folder with the site's own profiles of devices. Default:
	// profiles under Data.
	Profiles string `json:"profiles"`
	// DocumentCamera and FaceCamera are where pictures come from: a device as
	// "counterproofd devices list" names it ("usb:1-2/046d:0825"), or
	// "sim:FOLDER", which shows the pictures of a folder in turn. Empty is
	// whatever camera is there.
	DocumentCamera string `json:"document_camera"`
	FaceCamera     string `json:"face_camera"`
	// Printer is where slips go: a device, or "file:FOLDER", which writes each as
	// PDF and text. Empty is whatever slip printer is there.
	Printer string `json:"printer"`
	// Queues are the print queues of this computer (CUPS) that letters go to, by
	// name; none is used that is not named.
	Queues []string `json:"queues"`
	// ChipReader is the reader of documents' chips: a device, or "sim:FOLDER",
	// where the chip that lies in the folder lies on a simulated reader. Empty is
	// whatever reader is there.
	ChipReader string `json:"chip_reader"`
	// Trust is the folder with the bundles of the states' certificates, of which
	// the newest is used. Default: trust under Data.
	Trust string `json:"trust"`
	// TrustKey is the public key of whoever signs those bundles: Ed25519, in
	// base64. Empty is a counter that can read chips and verify none.
	TrustKey string `json:"trust_key"`
	// TPM is where the counter's keys are drawn: "auto" is the machine's own chip,
	// else a device file or a socket; empty is none, and the keys lie in files. As
	// a system service: auto.
	TPM string `json:"tpm"`
	// KeyGrade is the least that the keys must be kept with: tpm, dpapi or file.
	// Empty is any.
	KeyGrade string `json:"key_grade"`
	// Proxy is the URL of the proxy to the centre, or "none". Empty takes the
	// environment's (HTTPS_PROXY, NO_PROXY).
	Proxy string `json:"proxy"`
	// DayBytes is how many bytes a day are sent at most, on a metered line; 0 is
	// no limit.
	DayBytes int64 `json:"day_bytes"`
	// KeepDays is for how many days a sealed record stays whole here after the
	// centre has proven that it has it, so that a centre that comes back from a
	// backup gets it again; 0 is seven. A disk that gets full ends it earlier.
	KeepDays int `json:"keep_days"`
	// UVIRTemplates is the day (YYYY-MM-DD) on which this counter's pictures of
	// documents under ultraviolet and infrared light were last refreshed. Empty is
	// a counter without such a lamp.
	UVIRTemplates string `json:"uvir_templates"`
	// Capture ends a capture that found nothing good, in seconds.
	Capture int `json:"capture_seconds"`
}

// maxFile bounds a configuration file.
const maxFile = 1 << 20

// Default is a counter with whatever is plugged in, in the user's own folders.
func Default() Config {
	tpm := ""
	if os.Getenv("STATE_DIRECTORY") != "" { // a system service, not somebody trying it out
		tpm = "auto"
	}
	return Config{TPM: tpm, Data: filepath.Join(stateDir(), "counterproof"), Policy: "gpg45-0.4", Languages: []string{"en", "cy"}, Capture: 60, Plugs: true}
}

// stateDir is where programs of this user keep their state (XDG Base Directory
// Specification; /var/lib for a system service).
func stateDir() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return filepath.Dir(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return os.TempDir()
	}
	return filepath.Join(home, ".local", "state")
}

// Read reads a configuration over the defaults; no file name gives the defaults.
func Read(name string) (Config, error) {
	c := Default()
	if name == "" {
		return c, c.Validate()
	}
	f, err := os.Open(name)
	if err != nil {
		return c, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > maxFile {
		return c, fmt.Errorf("reading the configuration: it is larger than %d bytes or cannot be told", maxFile)
	}
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("reading the configuration %s: %w", name, err)
	}
	return c, c.Validate()
}

// Validate says what is wrong with a configuration, all of it.
func (c Config) Validate() error {
	var errs []error
	bad := func(wrong bool, key, why string) {
		if wrong {
			errs = append(errs, fmt.Errorf("configuration: %s %s", key, why))
		}
	}
	bad(c.Data == "", "data", "names no folder")
	bad(c.Policy == "", "policy", "names no version")
	bad(len(c.Languages) == 0, "languages", "is empty")
	bad(c.Capture != min(max(c.Capture, 5), 600), "capture_seconds", "is not 5 to 600")
	bad(len(c.SocketPath()) > 100, "socket", "is longer than 100 bytes, which the system does not take")
	for key, v := range map[string]string{"document_camera": c.DocumentCamera, "face_camera": c.FaceCamera} {
		bad(v != "" && !strings.HasPrefix(v, "sim:") && !device(v), key, `is neither a device such as "usb:1-2/046d:0825" nor "sim:FOLDER"`)
	}
	bad(c.ChipReader != "" && !strings.HasPrefix(c.ChipReader, "sim:") && !device(c.ChipReader), "chip_reader", `is neither a device such as "pcsc:NAME" nor "sim:FOLDER"`)
	bad(!slices.Contains([]string{"", "tpm", "dpapi", "file"}, c.KeyGrade), "key_grade", "is none of tpm, dpapi and file")
	bad(c.DayBytes < 0, "day_bytes", "is less than nothing")
	bad(c.KeepDays != min(max(c.KeepDays, 0), 365), "keep_days", "is not 0 to 365")
	proxy, err := url.Parse(c.Proxy)
	bad(c.Proxy != "" && c.Proxy != "none" && (err != nil || proxy.Host == ""), "proxy", `is neither a URL nor "none"`)
	_, err = c.Signer()
	bad(err != nil, "trust_key", "is no Ed25519 public key in base64")
	bad(c.DocumentCamera != "" && c.DocumentCamera == c.FaceCamera && device(c.FaceCamera), "face_camera", "is the camera over the document")
	_, err = c.Templates()
	bad(err != nil, "uvir_templates", "is no day such as 2026-05-31")
	bad(c.Printer != "" && !strings.HasPrefix(c.Printer, "file:") && !device(c.Printer), "printer", `is neither a device such as "usb:1-3/04b8:0202" nor "file:FOLDER"`)
	return errors.Join(errs...)
}

// Keep is KeepDays as a time; 0 where the configuration says nothing.
func (c Config) Keep() time.Duration { return time.Duration(c.KeepDays) * 24 * time.Hour }

// TrustPath is the folder of the trust bundles.
func (c Config) TrustPath() string {
	if c.Trust != "" {
		return c.Trust
	}
	return filepath.Join(c.Data, "trust")
}

// Signer is the key under which trust bundles are believed, nil for none.
func (c Config) Signer() (ed25519.PublicKey, error) {
	if c.TrustKey == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(c.TrustKey)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, errors.New("no Ed25519 public key in base64")
	}
	return b, nil
}

// device reports whether a value names a device that is plugged in.
func device(v string) bool {
	for _, bus := range []string{"usb:", "serial:", "net:", "sane:", "pcsc:"} {
		if name, is := strings.CutPrefix(v, bus); is && name != "" {
			return true
		}
	}
	return false
}

// Pinned is the device that a value names, "" where it names none.
func Pinned(v string) string {
	if device(v) {
		return v
	}
	return ""
}

// ProfilesPath is where the site's own profiles are.
func (c Config) ProfilesPath() string {
	if c.Profiles != "" {
		return c.Profiles
	}
	return filepath.Join(c.Data, "profiles")
}

// SocketPath is where the local interface listens.
func (c Config) SocketPath() string {
	if c.Socket != "" {
		return c.Socket
	}
	return filepath.Join(c.Data, "daemon.sock")
}

// Templates is UVIRTemplates as a day, zero where it is empty.
func (c Config) Templates() (proof.Date, error) {
	if c.UVIRTemplates == "" {
		return proof.Date{}, nil
	}
	day, err := time.Parse(time.DateOnly, c.UVIRTemplates)
	return proof.Date{Year: day.Year(), Month: int(day.Month()), Day: day.Day()}, err
}

// CaptureTime is Capture as a duration.
func (c Config) CaptureTime() time.Duration { return time.Duration(c.Capture) * time.Second }
