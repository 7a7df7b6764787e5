package pikvm

import "context"

// MacroScreenshot takes a picture of the screen, as [Client.Screenshot] does, and hands it to [MacroOptions].Picture. It is an
// extension: "screenshot", with the member name.
type MacroScreenshot struct{ Name string }

// Type returns "screenshot".
func (MacroScreenshot) Type() string { return "screenshot" }

func readMacroScreenshot(e *macroEvent) MacroStep { return MacroScreenshot{e.text("name")} }

func (s MacroScreenshot) event() any { return map[string]string{"name": s.Name} }

func (s MacroScreenshot) check(r *macroReport) {
	r.extension()
	r.require(!r.noPictures, "nobody takes pictures: Picture of the options is nil")
}

func (s MacroScreenshot) run(ctx context.Context, r *macroRun) error {
	picture, err := r.client.Screenshot(ctx, &ScreenshotOptions{Session: r.viewer()})
	if err != nil {
		return err
	}
	return r.opts.Picture(s.Name, picture)
}
