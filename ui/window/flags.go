package window

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/counterproof/counterproof/ui/words"
)

// Config says how the window is to open. Of the zero Config only Socket is
// missing.
type Config struct {
	Socket     string // of the daemon
	Language   string // the clerk's at first, BCP 47; English where there is none
	TextSize   int    // percent, 100 to 200
	FullScreen bool
}

// errArgs is a word on the command line that is no flag.
var errArgs = errors.New("only flags are understood")

// Parse reads the command line without the program's name; what is wrong and
// the help go to out. flag.ErrHelp means that help was asked for.
func Parse(args []string, out io.Writer) (Config, error) {
	var cfg Config
	f := flag.NewFlagSet("counterproof", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&cfg.Socket, "socket", defaultSocket(), "the socket of the counter's service")
	f.StringVar(&cfg.Language, "language", words.English, "the clerk's language at first: en or cy; F2 changes it")
	f.IntVar(&cfg.TextSize, "text-size", 100, "the size of the text in percent, 100 to 200; Ctrl and + or - change it")
	f.BoolVar(&cfg.FullScreen, "full-screen", false, "fill the whole screen")
	if err := f.Parse(args); err != nil {
		return cfg, fmt.Errorf("reading the command line: %w", err)
	}
	if f.NArg() > 0 {
		fmt.Fprintln(out, errArgs)
		f.Usage()
		return cfg, fmt.Errorf("reading the command line: %w", errArgs)
	}
	return cfg, nil
}

// defaultSocket is where a counter without a configuration listens: among the
// state of the user who runs it (XDG Base Directory Specification).
func defaultSocket() string {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "counterproof", "daemon.sock")
}
