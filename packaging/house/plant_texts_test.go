package house_test

// plantTexts holds the plants of each rule, as plants reads them. A tilde is
// dropped in reading: it keeps a plant from breaking the rule in this file.
var plantTexts = map[string]string{
	"doc": `== none: a package without a comment
expect agent/desk
-- agent/desk/desk.go --
package desk
== form: a comment that does not name the package
expect agent/desk
-- agent/desk/desk.go --
// This package runs a case.
package desk
`,

	"door": `== elsewhere: a module comes in by its door alone
expect agent/daemon/extra.go
-- agent/daemon/extra.go --
package daemon

import _ "example.org/screen"
== shipped: a module for tests does not ship
expect sync/uplink/extra.go
-- sync/uplink/extra.go --
package uplink

import _ "example.org/check"
== unknown: a module without a line
expect sync/uplink/extra.go
-- sync/uplink/extra.go --
package uplink

import _ "example.org/deep"
== unknown in a test: that needs a line too
expect sync/uplink/uplink_test.go
-- sync/uplink/uplink_test.go --
package uplink

import _ "example.org/deep"
== near name: a longer name is another module
expect sync/uplink/extra.go
-- sync/uplink/extra.go --
package uplink

import _ "example.org/retry/v20"
`,

	"floor": `== upward: rules do not know the desk
expect agent/route/route.go
-- agent/route/route.go --
// Package route holds rules.
package route

import _ "example.com/counter/agent/desk"
== words: they import nothing of the tree, not even words
expect devices/extra.go
also wing devices/extra.go
-- devices/extra.go --
package devices

import _ "example.com/counter/agent/proof"
== suite: what ships does not import a suite
expect devices/hub/extra.go
-- devices/hub/extra.go --
package hub

import _ "example.com/counter/devices/devicetest"
== platform: a file for another platform is read too
expect agent/gpg45/extra_windows.go
-- agent/gpg45/extra_windows.go --
//go:build windows && never

package gpg45

import _ "example.com/counter/agent/daemon"
`,

	"host": `== registry: a package registry by its host
expect packaging/fetch.sh:2
-- packaging/fetch.sh --
# example.org/pypi is none
curl https://py~pi.org/simple
`,

	"init": `== bare: init runs unasked
expect agent/desk/desk.go:4
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

func init() {}
== embedded: a table that is embedded may be read by it
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import _ "embed"

//go:embed table.txt
var raw string

var table []byte

func init() { table = []byte(raw) }
== method: a method of that name is none
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

type part struct{}

func (part) init() {}
`,

	"log": `== key: not on the list
expect agent/desk/desk.go:9
expect agent/desk/desk.go:10
expect agent/desk/desk.go:11
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import "log/slog"

type desk struct{ log *slog.Logger }

func (d desk) run(surname string) {
	slog.Info("read", "count", 1, "surname", surname)
	d.log.With("surname", surname).Info("read")
	d.log.Info("read", slog.Group("person", "count", 1))
	d.log.Info("read", "count", 1)
}
== computed: a key or a sentence that is made up on the way
expect agent/desk/desk.go:7
expect agent/desk/desk.go:8
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import "log/slog"

func run(log *slog.Logger, key string) {
	log.Warn("read", key, 1)
	log.Warn("read " + key)
}
== old: the package without keys
expect agent/desk/desk.go
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import _ "log"
== not a log: other things are called Info too
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

type file struct{}

func (file) Info(string, string) {}

func run(f file, key string) { f.Info(key, key) }
`,

	"mark": `== unfinished: marks in comments and words in strings, in tests too
expect agent/desk/desk.go:4
expect agent/desk/desk.go:7
expect agent/desk/desk_test.go:3
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

// TO~DO: later.
func run() string {
	state := "UTOXXX"
	return "not imple~mented" + state
}
-- agent/desk/desk_test.go --
package desk

// FIX~ME(somebody) soon.
== words: parts of longer words are none
-- agent/desk/desk.go --
// Package desk is no HACK~NEY carriage, and XXX is a nationality.
package desk
`,

	"module": `== no line: a direct module that the table does not explain, and a line that nothing needs
expect README.md
expect go.mod
also door devices/devicetest/devicetest.go
also door devices/hub/hub_test.go
-- README.md --
| Module | Why | Licence | Door |
|---|---|---|---|
| example.org/screen | windows | MIT | ui |
| example.org/retry/v2 | retries | MIT | edges |
| example.org/gone | no longer used | MIT | tests |
`,

	"name": `== vague: a name that says nothing
expect agent/util/util.go
also room agent/util
-- agent/util/util.go --
// Package util is a drawer.
package util
== folder: a package named unlike its folder
expect agent/route/route.go
-- agent/route/route.go --
// Package routes is named unlike its folder.
package routes
`,

	"page": `== missing: a wing without its page
expect sync/DESIGN.md
drop sync/DESIGN.md
-- agent/desk/desk.go --
// Package desk runs a case.
package desk
`,

	"path": `== home: a path of one machine, in any text
expect agent/desk/desk.go:4
expect ui/notes.txt:2
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

const weights = "/ho~me/someone/net.bin"
-- ui/notes.txt --
The route /v1/visits/ho~me/x and a/tm~p/b are ours,
but see /tm~p/out.log.
`,

	"platform": `== goos: the platform has its own file
expect agent/desk/desk.go:6
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import "runtime"

func windows() bool { return runtime.GOOS == "windows" }
`,

	"pure": `== os: no I/O
expect agent/gpg45/extra.go
-- agent/gpg45/extra.go --
package gpg45

import _ "os"
== exec: nor a folder below it
expect agent/gpg45/extra.go
-- agent/gpg45/extra.go --
package gpg45

import _ "os/exec"
== net: no network, though an address is only a word
expect agent/gpg45/extra.go
-- agent/gpg45/extra.go --
package gpg45

import (
	_ "net"
	_ "net/netip"
	_ "net/url"
)
== random: no randomness
expect agent/proof/extra.go
-- agent/proof/extra.go --
package proof

import _ "math/rand/v2"
== module: no outside module
expect agent/gpg45/extra.go
also door agent/gpg45/extra.go
-- agent/gpg45/extra.go --
package gpg45

import _ "example.org/retry/v2"
== clock: under another name and as a value too
expect agent/gpg45/extra.go:5
-- agent/gpg45/extra.go --
package gpg45

import clock "time"

var now = clock.Now
== own now: a name of its own is no clock
-- agent/gpg45/extra.go --
package gpg45

type watch struct{}

func (watch) Now() int { return 0 }

func read(time watch) int { return time.Now() }
== goroutine: none
expect agent/gpg45/extra.go:4
-- agent/gpg45/extra.go --
package gpg45

func start() {
	go start()
}
== group: not by a wait group either
expect agent/gpg45/extra.go:7
-- agent/gpg45/extra.go --
package gpg45

import "sync"

func start() {
	var g sync.WaitGroup
	g.Go(start)
}
`,

	"room": `== unlisted: a package without a line in the table
expect agent/extra
-- agent/extra/extra.go --
// Package extra is not in the table.
package extra
== only tests: a folder with nothing but tests needs a line too
expect agent/extra
-- agent/extra/extra_test.go --
package extra
`,

	"root": `== sync: it would shadow the standard package
expect sync
also room sync
-- sync/sync.go --
// Package sync stands at a root.
package sync
== top: nothing stands at the very root
expect .
also room .
also name tools.go
-- tools.go --
// Package tools stands at the top.
package tools
`,

	"skip": `== silent: a skip without a reason
expect agent/desk/desk_test.go:6
expect devices/devicetest/extra.go:6
also room agent/desk/x
-- agent/desk/desk_test.go --
package desk

import "testing"

func TestDesk(t *testing.T) {
	t.SkipNow()
}
-- agent/desk/x/x.go --
// Package x keeps desk's folder from being empty.
package x
-- devices/devicetest/extra.go --
package devicetest

import "testing"

func Extra(t *testing.T) {
	t.Skip()
}
`,

	"variable": `== assigned: in another file of the package
expect agent/desk/desk.go:6
expect agent/desk/desk.go:7
expect agent/desk/desk.go:8
expect agent/desk/desk.go:9
expect agent/desk/desk.go:10
expect agent/desk/desk.go:11
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

func change() {
	local := 0
	last = local
	calls++
	names["a"] = calls
	delete(names, "a")
	set(&last)
	state.inner[1].n = 2
	local++
}

func set(*int) {}
-- agent/desk/state.go --
package desk

var (
	last, calls int
	names       map[string]int
	state       struct{ inner []struct{ n int } }
)
== foreign: another package's variable
expect agent/desk/desk.go:6
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import "net/http"

func change() { http.DefaultClient = nil }
== locks: a variable that changes by being used
expect agent/desk/desk.go:10
expect agent/desk/desk.go:9
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import (
	"sync"
	"sync/atomic"
)

var mu sync.Mutex
var count atomic.Int64

func use() {
	var own sync.Mutex
	own.Lock()
}
== shadow: a name of the function's own is no package variable
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

var last = 1

func fine(last int) int {
	last = 2
	return last
}
`,

	"wing": `== ui-desk: the window knows only the local interface
expect ui/window/extra.go
also floor ui/window/extra.go
-- ui/window/extra.go --
package window

import _ "example.com/counter/agent/desk"
== ui-sync: the window knows no centre
expect ui/words/words.go
also floor ui/words/words.go
-- ui/words/words.go --
// Package words holds catalogues.
package words

import _ "example.com/counter/sync/uplink"
== devices-agent: devices know no case
expect devices/hub/extra.go
-- devices/hub/extra.go --
package hub

import _ "example.com/counter/agent/proof"
== sync-devices: the two lower wings do not know each other, not even in tests
expect sync/uplink/uplink_test.go
-- sync/uplink/uplink_test.go --
package uplink

import _ "example.com/counter/devices"
== agent-packaging: nothing imports the tools
expect agent/desk/desk.go
also floor agent/desk/desk.go
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import _ "example.com/counter/packaging/house"
`,

	"wrap": `== plain: an error that is given without its verb
expect agent/desk/desk.go:10
expect agent/desk/desk.go:11
expect agent/desk/desk.go:12
expect agent/desk/desk.go:13
-- agent/desk/desk.go --
// Package desk runs a case.
package desk

import "fmt"

type job struct{ cause error }

func (j job) run(closeErr error, n int) error {
	_ = fmt.Errorf("run %d: %w", n, closeErr)
	_ = fmt.Errorf("run: %v", closeErr)
	_ = fmt.Errorf("run: %s", j.cause)
	_ = fmt.Errorf("run: %v", job{}.Err())
	return fmt.Errorf("run: %w and %v", closeErr, j.cause)
}

func (j job) Err() error { return j.cause }
`,
}
