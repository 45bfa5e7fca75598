// Command testreport reads what `go test -json` writes, on standard input, and
// shows what a person wants of it: a line for each package as go test has it,
// the output of what failed, every skipped test with its reason, and a closing
// count. It leaves with 1 when a test or a build failed, when the input ends
// before every package has ended, and when no test ran at all.
package main

import (
	"fmt"
	"os"
)

func main() {
	ok, err := show(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}
