// Command counterproof-central is the centre that counters send their sealed
// records to. It only starts what package office does, and ends it on an
// interrupt or a termination signal.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/counterproof/counterproof/sync/central/office"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := office.Command().ExecuteContext(ctx)
	stop()
	if err != nil {
		os.Exit(1)
	}
}
