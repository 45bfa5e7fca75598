// Command counterproof-opener opens the centre's sealed records where the
// private keys are. It only starts what package bureau does, and ends it on an
// interrupt or a termination signal.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/counterproof/counterproof/agent/bureau"
)

func main() { os.Exit(run(os.Args[1:])) }

// run runs one command line and gives its exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := bureau.Command()
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		return 1
	}
	return 0
}
