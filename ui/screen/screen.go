// Package screen lays out what package view decided: one file a screen, from a
// view struct to canvas objects.
//
// A screen asks nobody, remembers nothing and decides nothing; what is typed
// goes into the form.Typed, what is pressed to Context.Do. It never imports the
// toolkit's app, so every screen is drawn in tests without a display.
//
// # The laws
//
//   - The reading order is the order of the code: heading, what is wrong, what to
//     know, what to fill in, what can be done.
//   - Every screen scrolls; at 200 % nothing is cut.
//   - The actions have digits, the escape key goes back.
package screen

import (
	"image"

	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/look"
	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
	"github.com/counterproof/counterproof/ui/words"
)

// Context is what the screens of one window share.
type Context struct {
	Words words.Words
	Form  *form.Typed
	Scale float32 // of the text, for the least width of columns
	// Do hears what was pressed.
	Do func(view.Intent)
	// Switch is the button that changes the language.
	Switch func()
}

// Built is a screen on its page.
type Built struct {
	*parts.Page
	Name     string // of the screen, as view names it
	pictures map[proof.PictureID]*parts.Picture
	preview  *parts.Picture
	guidance *parts.Text
}

// Build lays out a screen under its head.
func Build(c Context, head view.Head, v view.Screen) *Built {
	frame := v.Base()
	b := &Built{Name: frame.Name, pictures: map[proof.PictureID]*parts.Picture{}}
	buttons := actions(c, frame.Actions)
	body := []fyne.CanvasObject{parts.NewTitle(frame.Title)}
	for _, banner := range frame.Banners {
		body = append(body, bannerOf(banner))
	}
	body = append(body, b.middle(c, v)...)
	body = append(body, parts.Flow(objects(buttons)...))
	if h, ok := v.(view.Home); ok {
		body = append(body, devices(c, h))
	}
	body = append(body, quiet(head.Keys))
	b.Page = parts.NewPage(headOf(c, head), parts.Column(body...), buttons)
	if frame.Escape.Verb != view.Nothing {
		b.Escape = func() { c.Do(frame.Escape) }
	}
	if frame.Concern.Verb != view.Nothing {
		b.Concern = func() { c.Do(frame.Concern) }
	}
	return b
}

// middle is what stands between the banners and the actions.
func (b *Built) middle(c Context, v view.Screen) []fyne.CanvasObject {
	switch v := v.(type) {
	case view.Sign:
		return sign(c, v)
	case view.Home:
		return home(c, v)
	case view.Queue:
		return queue(v)
	case view.Notices:
		return notices(c, v)
	case view.Doctor:
		return doctor(c, v)
	case view.Sheet:
		return sheet(c, v)
	case view.Evidence:
		return evidence(c, v)
	}
	return b.visit(c, v)
}

// visit is the middle of the screens of a visit.
func (b *Built) visit(c Context, v view.Screen) []fyne.CanvasObject {
	switch v := v.(type) {
	case view.Consent:
		return consent(v)
	case view.Capture:
		return b.capture(c, v)
	case view.Key:
		return key(c, v)
	case view.Examine:
		return b.examine(c, v)
	case view.Compare:
		return b.compare(c, v)
	case view.Abandon:
		return abandon(c, v)
	case view.Result:
		return result(c, v)
	case view.Slip:
		return slip(c, v)
	}
	return paragraphs(v.Base().Lead)
}

// Wanted are the pictures that the screen has room for.
func (b *Built) Wanted() []proof.PictureID {
	var ids []proof.PictureID
	for id := range b.pictures {
		ids = append(ids, id)
	}
	return ids
}

// Show puts a picture that was fetched into its place.
func (b *Built) Show(id proof.PictureID, img image.Image) {
	if p := b.pictures[id]; p != nil {
		p.SetImage(img)
	}
}

// Frame shows the next frame of the camera.
func (b *Built) Frame(img image.Image) {
	if b.preview != nil {
		b.preview.SetImage(img)
	}
}

// Guide changes the sentence beside the moving picture without building the
// screen again.
func (b *Built) Guide(sentence string) {
	if b.guidance != nil {
		b.guidance.SetText(sentence)
		b.Relayout()
	}
}

// picture makes room for a picture.
func (b *Built) picture(c Context, p view.Picture, high float32) *parts.Picture {
	if p.ID == "" {
		return parts.NewPicture(p.Label, p.Empty, high)
	}
	made := parts.NewPicture(p.Label, c.Words.Say("word.loading"), high)
	b.pictures[p.ID] = made
	return made
}

// headOf is the strip above every screen: what is said in it, and the button
// that changes the language.
func headOf(c Context, h view.Head) fyne.CanvasObject {
	var all []fyne.CanvasObject
	if h.Training != "" {
		all = append(all, onHead(h.Training, true))
	}
	for _, s := range []string{h.Site, h.Clerk, h.Queue, h.News, h.Shift, h.Working} {
		if s != "" {
			all = append(all, onHead(s, false))
		}
	}
	return parts.Beside(parts.Flow(all...), parts.NewButton(h.Switch, parts.Plain, c.Switch))
}

// onHead is a text on the head's strip.
func onHead(s string, bold bool) *parts.Text {
	t := parts.NewText(s)
	if bold {
		t = parts.NewBold(s)
	}
	t.SetInk(look.OnHead)
	return t
}

// quiet is a text that matters less.
func quiet(s string) *parts.Text {
	t := parts.NewText(s)
	t.SetInk(look.Muted)
	return t
}

// actions are the buttons of a screen.
func actions(c Context, actions []view.Action) []*parts.Button {
	weights := map[view.Style]parts.Weight{view.Primary: parts.Strong, view.Warning: parts.Danger}
	var all []*parts.Button
	for _, a := range actions {
		all = append(all, parts.NewButton(a.Label, weights[a.Style], func() { c.Do(a.Intent) }))
	}
	return all
}

// objects are buttons as canvas objects.
func objects[T fyne.CanvasObject](list []T) []fyne.CanvasObject {
	var all []fyne.CanvasObject
	for _, o := range list {
		all = append(all, o)
	}
	return all
}

// bannerOf lays out a banner.
func bannerOf(b view.Banner) fyne.CanvasObject {
	tones := map[view.Tone]parts.Tone{view.Good: parts.Good, view.Bad: parts.Bad}
	return parts.NewBanner(tones[b.Tone], b.Title, b.Texts)
}

// paragraphs are texts below each other.
func paragraphs(texts []string) []fyne.CanvasObject {
	var all []fyne.CanvasObject
	for _, t := range texts {
		all = append(all, parts.NewText(t))
	}
	return all
}

// lines is a table.
func lines(c Context, list []view.Line) fyne.CanvasObject {
	var pairs [][2]string
	for _, l := range list {
		pairs = append(pairs, [2]string{l.Label, l.Value})
	}
	return parts.Lines(190*c.Scale, pairs)
}
