// Package window is the clerk's window: it asks the daemon, shows what package
// view decides by what package screen draws, and sends what the clerk does. It
// also reads the program's flags.
//
// It has no rule of its own and writes nothing to disk: no settings, no log of
// what was typed or shown.
//
// # The laws
//
//   - The window may be closed or killed at any moment; what the daemon answered
//     is kept, and the open visit comes back after signing in.
//   - One request at a time, except stopping a capture; a request whose answer
//     was lost is not sent again: the visit is read and shown as it is.
//   - All that is known lives in one view.State, touched on the toolkit's thread
//     only; pump.go alone crosses threads.
//   - Pictures are fetched for the screen that shows them and forgotten with it.
//   - What went wrong is seen: the field that is wrong gets the focus, and a page
//     that was scrolled goes back to its top where no field is.
//   - When the daemon is away the window says so and comes back by itself.
package window

import (
	"context"
	"image"
	"reflect"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/look"
	"github.com/counterproof/counterproof/ui/screen"
	"github.com/counterproof/counterproof/ui/view"
	"github.com/counterproof/counterproof/ui/words"
)

// Window is the clerk's window. Make it with Open.
type Window struct {
	app    fyne.App
	win    fyne.Window
	client *client.Client
	pump   *pump
	stop   context.CancelFunc
	wake   chan struct{} // ends the watcher's wait
	shift  chan struct{} // ends the wait for the end of the last session's shift
	look   *look.Theme
	size   int // of the text, in percent

	state    view.State
	form     *form.Typed
	page     *screen.Built
	shown    view.Screen
	head     view.Head
	pictures map[proof.PictureID]image.Image
	preview  context.CancelFunc // ends the moving picture; nil without one
	light    context.CancelFunc // ends the light meter; nil without one
	pinged   time.Time          // when a sign of life was last sent
	told     news               // at the last render
}

// Open makes the window of an app and shows it. Run keeps it alive.
func Open(app fyne.App, cfg Config) *Window {
	ctx, stop := context.WithCancel(context.Background())
	w := &Window{
		app: app, win: app.NewWindow("Counterproof"), client: client.New(cfg.Socket), pump: newPump(ctx), stop: stop,
		wake: make(chan struct{}, 1), size: min(max(cfg.TextSize, 100), 200), form: &form.Typed{},
	}
	w.look = look.New(look.Scale(w.size))
	app.Settings().SetTheme(w.look)
	w.state.Words = words.In(cfg.Language)
	w.win.SetPadded(false)
	w.win.SetMaster()
	w.win.Resize(fyne.NewSize(1180, 820))
	w.keys()
	w.render()
	w.win.SetFullScreen(cfg.FullScreen)
	w.win.Show()
	return w
}

// Run shows the window until it is closed or ctx ends, and ends everything that
// it began. It must be called on the main thread.
func (w *Window) Run(ctx context.Context) error {
	end := context.AfterFunc(ctx, func() { w.pump.post(w.app.Quit) })
	defer end()
	w.begin()
	w.app.Run()
	w.stop()
	w.pump.left.Wait()
	return nil
}

// keys hears the keys that no part has a use for.
func (w *Window) keys() {
	c := w.win.Canvas()
	c.SetOnTypedKey(func(k *fyne.KeyEvent) { w.page.Key(k) })
	if d, ok := c.(desktop.Canvas); ok {
		d.SetOnKeyDown(func(k *fyne.KeyEvent) { w.page.KeyDown(k) })
	}
	for _, k := range []fyne.KeyName{fyne.KeyPlus, fyne.KeyEqual, fyne.KeyMinus, fyne.Key0} {
		for _, mod := range []fyne.KeyModifier{fyne.KeyModifierControl, fyne.KeyModifierControl | fyne.KeyModifierShift} {
			s := &desktop.CustomShortcut{KeyName: k, Modifier: mod}
			c.AddShortcut(s, func(fyne.Shortcut) { w.shortcut(s) })
		}
	}
}

// key hears the function keys.
func (w *Window) key(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyF2:
		w.switchLanguage()
	case fyne.KeyF3:
		w.do(view.Intent{Verb: view.DoOpen, Side: view.SideDoctor})
	}
}

// shortcut changes the text's size.
func (w *Window) shortcut(s *desktop.CustomShortcut) {
	if s.Modifier&fyne.KeyModifierControl == 0 {
		return
	}
	switch s.KeyName {
	case fyne.KeyPlus, fyne.KeyEqual:
		w.resize(w.size + 25)
	case fyne.KeyMinus:
		w.resize(w.size - 25)
	case fyne.Key0:
		w.resize(100)
	}
}

// resize shows everything at another text size, in percent.
func (w *Window) resize(percent int) {
	w.size = min(max(percent, 100), 200)
	w.look = w.look.At(look.Scale(w.size))
	w.app.Settings().SetTheme(w.look)
	w.shown = nil
	w.render()
}

// switchLanguage goes on to the next language. What was typed stays.
func (w *Window) switchLanguage() {
	all := words.Languages()
	for i, tag := range all {
		if tag == w.state.Words.Language() {
			w.state.Words = words.In(all[(i+1)%len(all)])
			break
		}
	}
	w.render()
}

// render shows the state, if it shows otherwise than before. A screen that stays
// the same keeps its focus, its place and what was typed.
func (w *Window) render() {
	w.state.Now = time.Now()
	next, head := view.Show(w.state), view.Heading(w.state)
	if w.shown != nil && reflect.DeepEqual(head, w.head) {
		if reflect.DeepEqual(next, w.shown) || w.guide(next) {
			return
		}
	}
	same := w.page != nil && w.head.Switch != "" && w.name() == next.Base().Name
	now := news{w.state.Problem, w.state.Hint, w.state.Said}
	fresh := now != (news{}) && now != w.told
	w.told = now
	focus, offset := -1, float32(0)
	switch {
	case same && fresh && w.page.Offset() > 0:
	case same:
		focus, offset = w.page.Focused(), w.page.Offset()
	default:
		w.form, w.pictures = &form.Typed{}, map[proof.PictureID]image.Image{}
	}
	w.shown, w.head = next, head
	w.build(focus, offset)
	if fresh {
		w.page.ToWrong()
	}
}

// news is what stands at the top of a page: a problem, a hint, or what came of a
// request.
type news struct {
	problem proof.Kind
	hint    form.Hint
	said    string
}

// name is that of the screen which stands.
func (w *Window) name() string {
	if w.shown == nil {
		return w.page.Name
	}
	return w.shown.Base().Name
}

// guide changes only the guidance of a camera's screen, where nothing else is
// new.
func (w *Window) guide(next view.Screen) bool {
	now, ok := next.(view.Capture)
	before, was := w.shown.(view.Capture)
	if !ok || !was {
		return false
	}
	sentence := now.Guidance
	now.Guidance = before.Guidance
	if !reflect.DeepEqual(now, before) {
		return false
	}
	before.Guidance = sentence
	w.shown = before
	w.page.Guide(sentence)
	return true
}

// build draws the screen that stands.
func (w *Window) build(focus int, offset float32) {
	c := screen.Context{Words: w.state.Words, Form: w.form, Scale: look.Scale(w.size), Do: w.do, Switch: w.switchLanguage}
	w.page = screen.Build(c, w.head, w.shown)
	w.page.OnKey, w.page.OnShortcut, w.page.OnUse = w.key, w.shortcut, w.used
	// A field that keeps the focus would go on drawing its cursor unseen.
	w.win.Canvas().Unfocus()
	w.win.SetContent(w.page.Object())
	w.win.SetTitle(w.shown.Base().Title + " – Counterproof")
	w.page.Enter(w.win.Canvas(), focus)
	if offset > 0 {
		w.page.ScrollTo(offset)
	}
	for _, id := range w.page.Wanted() {
		w.fetch(id)
	}
}

// fetch brings a picture to the screen that wants it.
func (w *Window) fetch(id proof.PictureID) {
	if img := w.pictures[id]; img != nil {
		w.page.Show(id, img)
		return
	}
	if w.state.Visit == nil {
		return
	}
	visit, name := w.state.Visit.ID, w.name()
	w.pump.work(func(ctx context.Context) func() {
		raw, err := w.client.Picture(ctx, visit, id)
		if err != nil {
			return nil
		}
		img, err := decode(raw)
		if err != nil {
			return nil
		}
		return func() {
			if w.name() == name {
				w.pictures[id] = img
				w.page.Show(id, img)
			}
		}
	})
}
