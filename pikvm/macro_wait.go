package pikvm

import (
	"context"
	"image"
	"regexp"
	"time"
)

// defaultMacroWait is how long an extension waits that says nothing else.
const defaultMacroWait = time.Minute

// MacroWaitText waits until the text on the screen matches, as [Client.WaitForText] does. It is an extension: "wait_text",
// with the members pattern, region (an object with left, top, right and bottom), languages and timeout_millis.
type MacroWaitText struct {
	Pattern   string          // a regular expression
	Region    image.Rectangle // in pixels; the empty one means all
	Languages []string        // none means the default of the device
	Timeout   time.Duration   // up to 24h, in whole milliseconds; zero means 1min
}

// Type returns "wait_text".
func (MacroWaitText) Type() string { return "wait_text" }

func readMacroWaitText(e *macroEvent) MacroStep {
	s := MacroWaitText{Pattern: e.text("pattern"), Timeout: e.timeout()}
	if e.has("region") {
		e.object("region", func(e *macroEvent) {
			s.Region.Min = image.Pt(e.number("left"), e.number("top"))
			s.Region.Max = image.Pt(e.number("right"), e.number("bottom"))
		})
	}
	if e.has("languages") {
		e.member("languages", "an array of texts", &s.Languages)
	}
	return s
}

func (s MacroWaitText) event() any {
	type region struct {
		Left   int `json:"left"`
		Top    int `json:"top"`
		Right  int `json:"right"`
		Bottom int `json:"bottom"`
	}
	wire := struct {
		Pattern   string   `json:"pattern"`
		Region    *region  `json:"region,omitempty"`
		Languages []string `json:"languages,omitempty"`
		Timeout   int64    `json:"timeout_millis,omitempty"`
	}{s.Pattern, nil, s.Languages, s.Timeout.Milliseconds()}
	if s.Region != (image.Rectangle{}) {
		wire.Region = &region{s.Region.Min.X, s.Region.Min.Y, s.Region.Max.X, s.Region.Max.Y}
	}
	return wire
}

func (s MacroWaitText) check(r *macroReport) {
	r.extension()
	_, err := regexp.Compile(s.Pattern)
	r.require(err == nil, "pattern is not a regular expression")
	r.require(s.Region == (image.Rectangle{}) || onScreen(s.Region), "region is not on a screen")
	_, ok := joinList(s.Languages)
	r.require(ok, "languages has "+badList)
	r.delay("timeout_millis", s.Timeout)
}

func (s MacroWaitText) run(ctx context.Context, r *macroRun) error {
	ctx, cancel := macroTimeout(ctx, s.Timeout)
	defer cancel()
	pattern := regexp.MustCompile(s.Pattern) // it was checked
	_, err := r.client.WaitForText(ctx, pattern, &WaitTextOptions{
		Session: r.viewer(), Region: s.Region, Languages: s.Languages,
	})
	return err
}

// MacroWaitPower waits until the power LED is on, or off, as [ATX.WaitPower] does. It is an extension: "wait_power", with the
// members state and timeout_millis.
type MacroWaitPower struct {
	On      bool
	Timeout time.Duration // up to 24h, in whole milliseconds; zero means 1min
}

// Type returns "wait_power".
func (MacroWaitPower) Type() string { return "wait_power" }

func readMacroWaitPower(e *macroEvent) MacroStep { return MacroWaitPower{e.flag("state"), e.timeout()} }

func (s MacroWaitPower) event() any {
	return struct {
		State   bool  `json:"state"`
		Timeout int64 `json:"timeout_millis,omitempty"`
	}{s.On, s.Timeout.Milliseconds()}
}

func (s MacroWaitPower) check(r *macroReport) {
	r.extension()
	r.delay("timeout_millis", s.Timeout)
}

func (s MacroWaitPower) run(ctx context.Context, r *macroRun) error {
	ctx, cancel := macroTimeout(ctx, s.Timeout)
	defer cancel()
	return r.client.ATX.WaitPower(ctx, s.On, &PowerOptions{Session: r.opts.Session})
}

// timeout reads the limit of an extension, which is optional.
func (e *macroEvent) timeout() time.Duration {
	if !e.has("timeout_millis") {
		return 0
	}
	return e.millis("timeout_millis")
}

func macroTimeout(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		limit = defaultMacroWait
	}
	return context.WithTimeout(ctx, limit)
}
