package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// Command is "demo".
func Command() *cobra.Command {
	var cfg Config
	var hold, noWindow bool
	var socketFile string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a whole visit on one machine, without hardware",
		Long: `Show a whole visit on one machine, without hardware: a training centre, an
opener and a counter are started, and a patient comes: with a specimen passport,
or by another route.

With a display the counter's window opens and you are the clerk; without one (or
with --no-window) the same visit runs through the local interface and is told
step by step. Everything is training: it proves nobody.`,
		Example: `  counterproofd demo
  counterproofd demo --no-window --impostor
  counterproofd demo --no-window --route vouch
  counterproofd demo --document page.jpg --face me.jpg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			slog.SetDefault(slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn})))
			cfg.Out = cmd.OutOrStdout()
			return Run(cmd.Context(), cfg, func(ctx context.Context, w *world) error {
				switch window := windowProgram(); {
				case hold:
					return errors.Join(w.layOut(), w.hold(ctx, socketFile))
				case window != "" && !noWindow:
					return errors.Join(w.layOut(), w.showWindow(ctx, window))
				}
				return w.tell(ctx)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Document, "document", "", "photograph of a data page (default: a specimen passport is made)")
	f.StringVar(&cfg.Face, "face", "", "photograph of the patient (default: the one that set-up fetched)")
	f.StringVar(&cfg.Route, "route", "passport", "the visit that is told: "+strings.Join(storyNames(), ", "))
	f.BoolVar(&cfg.Impostor, "impostor", false, "let another man stand before the camera")
	f.StringVar(&cfg.Language, "language", "en", "the patient's language")
	f.StringVar(&cfg.Dir, "dir", "", "keep everything in this folder (default: a temporary one, removed at the end)")
	f.StringVar(&cfg.Models, "models", "", "folder of the face networks (default: the usual places)")
	f.BoolVar(&noWindow, "no-window", false, "tell the visit instead of opening the window")
	f.BoolVar(&hold, "hold", false, "keep the counter running, for a window or a program of yours")
	f.StringVar(&socketFile, "socket-file", "", "with --hold: write the socket and the clerk's secret to this file, as JSON")
	return cmd
}

// tell goes through the story and tells it.
func (w *world) tell(ctx context.Context) error {
	v, err := w.scene(ctx, "")
	if err == nil && w.story.then != nil {
		err = w.story.then(ctx, w, v)
	}
	return err
}

// scene is one visit at the counter where the patient is, to the centre and
// back.
func (w *world) scene(ctx context.Context, continues proof.Ref) (api.Visit, error) {
	hears, counter := make(chan struct{}), w.client
	w.start(func(ctx context.Context) error { return w.listen(ctx, counter, hears) })
	select {
	case <-hears:
	case <-ctx.Done():
		return api.Visit{}, fmt.Errorf("listening to the counter: %w", ctx.Err())
	}
	v, err := w.visit(ctx, continues)
	if err != nil {
		return v, err
	}
	return v, w.delivered(ctx, v.Ref)
}

// windowProgram is the window's program beside this one, if there is a display
// for it.
func windowProgram() string {
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return ""
	}
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	program := filepath.Join(filepath.Dir(self), "counterproof")
	if _, err := os.Stat(program); err != nil {
		return ""
	}
	return program
}

// showWindow opens the counter's window and waits until it is closed. The opener
// works beside it, so that news of a visit comes back while the window is open.
func (w *world) showWindow(ctx context.Context, program string) error {
	w.say("You are the clerk. Sign in as %q with the PIN %s.", w.clerk.Operator.ID, clerkSecret)
	w.start(w.opener.Run)
	window := exec.CommandContext(ctx, program, "--socket", w.conf.SocketPath(), "--language", w.cfg.Language)
	window.Stdout, window.Stderr = w.cfg.Out, os.Stderr
	if err := window.Run(); err != nil {
		return fmt.Errorf("showing the window: %w", err)
	}
	return nil
}

// held is what a program needs to use the counter that is kept running.
type held struct {
	Socket   string `json:"socket"`
	Operator string `json:"operator"`
	Secret   string `json:"secret"`
	Dir      string `json:"dir"`
}

// hold keeps everything running until it is told to stop.
func (w *world) hold(ctx context.Context, file string) error {
	h := held{w.conf.SocketPath(), string(w.clerk.Operator.ID), clerkSecret, w.dir}
	w.say("The counter runs. Socket %s, clerk %q, PIN %s. Interrupt to end.", h.Socket, h.Operator, h.Secret)
	if file != "" {
		b, err := json.Marshal(h)
		if err == nil {
			err = os.WriteFile(file, b, 0o600)
		}
		if err != nil {
			return fmt.Errorf("writing the socket file: %w", err)
		}
	}
	return w.opener.Run(ctx)
}
