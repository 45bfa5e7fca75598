// Command counterproof is the clerk's window at the counter. It speaks to the
// daemon over a local socket and holds nothing itself: it may be closed at any
// moment and nothing is lost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"github.com/counterproof/counterproof/ui/window"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "counterproof:", err)
		os.Exit(2)
	}
}

// run opens the window and waits until it is closed.
func run(args []string) error {
	cfg, err := window.Parse(args, os.Stderr)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The name keeps the toolkit from making up a folder; nothing is stored there.
	app.SetMetadata(fyne.AppMetadata{ID: "org.counterproof.window", Name: "Counterproof", Migrations: map[string]bool{"fyneDo": true}})
	return window.Open(app.New(), cfg).Run(ctx)
}
