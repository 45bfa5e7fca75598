// Command counterproof-opener opens the centre's sealed records where the
// private keys are. It only starts what package bureau does, and ends it on an
// interrupt or a termination signal.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/bureau"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/daemon/dump"
	"github.com/counterproof/counterproof/agent/emrtd"
	"github.com/counterproof/counterproof/agent/opener"
	"github.com/counterproof/counterproof/agent/truststore"
)

func main() { os.Exit(run(os.Args[1:])) }

// trusting has the chips of records judged by the opener's own bundles.
func trusting(run *cobra.Command) func(*opener.Opener) (opener.Worker, error) {
	dir := run.Flags().String("trust", "", "folder with bundles of the states' certificates: judge the chips of records once more")
	typed := run.Flags().String("trust-key", "", "public key of whoever signs those bundles: Ed25519, in base64")
	run.MarkFlagsRequiredTogether("trust", "trust-key")
	return func(o *opener.Opener) (opener.Worker, error) {
		if *dir == "" {
			return nil, nil
		}
		key, err := config.Config{TrustKey: *typed}.Signer()
		if err != nil {
			return nil, fmt.Errorf("reading --trust-key: %w", err)
		}
		shelf, err := truststore.Open(*dir, key)
		if err != nil {
			return nil, err
		}
		if shelf.Store() == nil {
			return nil, errors.New("no bundle in the folder of --trust is signed under the key of --trust-key")
		}
		o.Confirm(emrtd.Confirms(func() *trust.Store {
			if err := shelf.Look(); err != nil {
				slog.Warn("trust bundles cannot be looked through", "err", err.Error())
			}
			return shelf.Store()
		}))
		return nil, nil
	}
}

// run runs one command line and gives its exit code.
func run(args []string) int {
	if err := dump.Forbid(); err != nil { // records lie open in this memory
		fmt.Fprintln(os.Stderr, "counterproof-opener:", err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := bureau.Command(trusting)
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		return 1
	}
	return 0
}
