package devices_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/devices"
)

// NoDevice stands for each capability.
var (
	_ devices.MRZReader       = devices.NoDevice{}
	_ devices.ChipReader      = devices.NoDevice{}
	_ devices.Camera          = devices.NoDevice{}
	_ devices.DocumentScanner = devices.NoDevice{}
	_ devices.BarcodeReader   = devices.NoDevice{}
	_ devices.Printer         = devices.NoDevice{}
)

func TestNoDevice(t *testing.T) {
	t.Parallel()
	const op = "filming the document"
	n := devices.NoDevice{Op: op}
	calls := map[string]func(context.Context) error{
		"ReadMRZ":    func(ctx context.Context) error { m, err := n.ReadMRZ(ctx); return empty(m.Lines == nil, err) },
		"Connect":    n.Connect,
		"Disconnect": n.Disconnect,
		"Transmit": func(ctx context.Context) error {
			answer, err := n.Transmit(ctx, []byte{0, 0xa4, 4, 0})
			return empty(answer == nil, err)
		},
		"Frames": func(ctx context.Context) error {
			return n.Frames(ctx, func(devices.Frame) bool { t.Error("a camera that is not there films"); return false })
		},
		"Scan": func(ctx context.Context) error {
			pages, err := n.Scan(ctx, []devices.Light{devices.White, devices.UV})
			return empty(pages == nil, err)
		},
		"ReadBarcode": func(ctx context.Context) error { s, err := n.ReadBarcode(ctx); return empty(s.Bytes == nil, err) },
		"Print":       func(ctx context.Context) error { return n.Print(ctx, devices.Job{Kind: devices.Text}) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, ctx := range []context.Context{t.Context(), ended(t)} {
				err := call(ctx)
				fault, ok := errors.AsType[*devices.Fault](err)
				if !ok {
					t.Fatalf("got %v, want a Fault", err)
				}
				if fault.Kind != devices.Missing || fault.Op != op {
					t.Errorf("got kind %q of %q, want %q of %q", fault.Kind, fault.Op, devices.Missing, op)
				}
			}
		})
	}
	if got := n.Accepts(); len(got) != 0 {
		t.Errorf("a printer that is not there accepts %v", got)
	}
}

// empty hands the error on unless something came beside it.
func empty(nothing bool, err error) error {
	if !nothing {
		return fmt.Errorf("something came beside the error: %w", err)
	}
	return err
}

func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestNoDeviceZero holds the words of the zero value: it is used wherever
// nobody thought of a name for what was wanted.
func TestNoDeviceZero(t *testing.T) {
	t.Parallel()
	if got, want := (devices.NoDevice{}).Print(t.Context(), devices.Job{}).Error(), "missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFaultError(t *testing.T) {
	t.Parallel()
	cause := errors.New("no such file or directory")
	tests := map[string]struct {
		fault devices.Fault
		want  string
	}{
		"bare":          {devices.Fault{Op: "printing", Kind: devices.PaperOut}, "printing: paper_out"},
		"kind-alone":    {devices.Fault{Kind: devices.Timeout}, "timeout"},
		"device":        {devices.Fault{Op: "filming", Kind: devices.Gone, Device: "sim:camera"}, "filming: gone (sim:camera)"},
		"cause":         {devices.Fault{Op: "opening", Kind: devices.Missing, Err: cause}, "opening: missing: no such file or directory"},
		"holder-hidden": {devices.Fault{Op: "opening", Kind: devices.InUse, Holder: "cheese"}, "opening: in_use"},
		"all": {
			devices.Fault{Op: "opening", Kind: devices.Permission, Device: "usb:1-2", Rule: "60-counter.rules", Err: cause},
			"opening: permission (usb:1-2): no such file or directory",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.fault.Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFaultUnwrap(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("taking the picture: %w", &devices.Fault{Op: "opening", Kind: devices.Permission, Err: fs.ErrPermission})
	if !errors.Is(err, fs.ErrPermission) {
		t.Error("the cause of a fault is lost")
	}
	if errors.Is(&devices.Fault{Op: "opening", Kind: devices.Permission}, fs.ErrPermission) {
		t.Error("a fault without a cause has one")
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	gone := &devices.Fault{Op: "filming", Kind: devices.Gone}
	tests := map[string]struct {
		err  error
		want devices.Kind
	}{
		"nil":           {nil, devices.KindNone},
		"plain":         {errors.New("gone"), devices.KindNone},
		"context":       {context.Canceled, devices.KindNone},
		"fault":         {gone, devices.Gone},
		"wrapped":       {fmt.Errorf("a: %w", fmt.Errorf("b: %w", gone)), devices.Gone},
		"joined":        {errors.Join(errors.New("x"), gone), devices.Gone},
		"outermost":     {&devices.Fault{Op: "scanning", Kind: devices.Timeout, Err: gone}, devices.Timeout},
		"fault-no-kind": {&devices.Fault{Op: "scanning"}, devices.KindNone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := devices.KindOf(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestClosedLists pins the words that leave this program: they are kept in
// drafts, shown by other versions of the desk and counted at the centre. A new
// one stands at the end of its list, none is renamed.
func TestClosedLists(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"Kind": {
			"", "missing", "gone", "in_use", "permission", "timeout", "protocol", "unsupported", "paper_out",
			"cover_open", "cancelled",
		},
		"State":      {"absent", "found", "opening", "ready", "busy", "faulted"},
		"Capability": {"mrz_reader", "chip_reader", "camera", "document_scanner", "barcode_reader", "printer"},
		"Role":       {"document_camera", "face_camera", "slip_printer", "letter_printer", ""},
		"Light":      {"white", "infrared", "uv"},
		"JobKind":    {"escpos", "pdf", "text"},
	}
	got := words(t, "devices.go")
	for list, w := range want {
		if g := got[list]; !slices.Equal(g, w) {
			t.Errorf("%s: got %q, want %q", list, g, w)
		}
		if dup := slices.Compact(slices.Sorted(slices.Values(got[list]))); len(dup) != len(got[list]) {
			t.Errorf("%s: a word stands twice", list)
		}
	}
	for list := range got {
		if want[list] == nil {
			t.Errorf("%s: a list that this test does not know", list)
		}
	}
}

// words reads the string constants of each type from the source, in order.
func words(t *testing.T, file string) map[string][]string {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Type == nil || len(v.Values) != 1 {
			return true
		}
		list, isName := v.Type.(*ast.Ident)
		value, isText := v.Values[0].(*ast.BasicLit)
		if isName && isText {
			word, _ := strconv.Unquote(value.Value)
			lists[list.Name] = append(lists[list.Name], word)
		}
		return true
	})
	return lists
}

// TestDeviceJSON holds the shape that the local interface and the support's
// reports show.
func TestDeviceJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		device devices.Device
		want   string
	}{
		"ready": {
			devices.Device{
				ID: "usb:1-2.3/04b8:0202/A1", Name: "TM-T20", Roles: []devices.Role{devices.SlipPrinter},
				Can: []devices.Capability{devices.CanPrint}, State: devices.Ready,
			},
			`{"id":"usb:1-2.3/04b8:0202/A1","name":"TM-T20","roles":["slip_printer"],"can":["printer"],` +
				`"state":"ready","training":false}`,
		},
		"faulted": {
			devices.Device{
				ID: "sim:camera", Roles: []devices.Role{}, Can: []devices.Capability{},
				State: devices.Faulted, Kind: devices.InUse, Training: true,
			},
			`{"id":"sim:camera","name":"","roles":[],"can":[],"state":"faulted","kind":"in_use","training":true}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(tt.device)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

func ExampleKindOf() {
	var printer devices.Printer = devices.NoDevice{Op: "printing the slip"}
	err := printer.Print(context.Background(), devices.Job{Title: "slip", Kind: devices.Text})
	fmt.Println(err)
	fmt.Println(strings.ToUpper(string(devices.KindOf(err))))
	// Output:
	// printing the slip: missing
	// MISSING
}
