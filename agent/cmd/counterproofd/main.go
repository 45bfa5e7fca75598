// Command counterproofd is the counter's daemon and its tools. It only names
// the commands; what they do is in the rooms that they come from.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/daemon"
	"github.com/counterproof/counterproof/agent/demo"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/agent/doctor/gear"
	"github.com/counterproof/counterproof/agent/doctor/shell"
	"github.com/counterproof/counterproof/agent/inspect"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs one command line and gives its exit code.
func run(ctx context.Context, args []string) int {
	root := &cobra.Command{
		Use:           "counterproofd",
		Short:         "Proves a patient's identity at a counter",
		Version:       daemon.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(daemon.Commands()...)
	root.AddCommand(demo.Command(), inspect.Command(), shell.Command(), gear.Command())
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "counterproofd:", err)
	}
	return doctor.ExitCode(err, inspect.ExitCode(err))
}
