// Command fleetsim sends a simulated nation of counters to a real centre and
// checks that nothing is lost, doubled, altered or readable. It only starts
// what package fleet does.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/counterproof/counterproof/sync/fleet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ours, err := fleet.Centre(ctx, os.Stdout)
	if !ours {
		err = fleet.Command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleetsim:", err)
		os.Exit(1)
	}
}
