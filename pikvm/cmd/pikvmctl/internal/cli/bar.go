package cli

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows on a terminal how a transfer goes.
type bar struct {
	to   io.Writer // nil if nobody watches
	what string
	line *progressbar.ProgressBar // nil until the size is known
}

// bar makes a bar for a transfer. Without a person to see it, it does nothing.
func (a *app) bar(t *target, what string) *bar {
	if !a.sys.StderrTerminal || !t.one {
		return &bar{}
	}
	return &bar{to: a.sys.Stderr, what: what}
}

// set shows that done bytes of size have been moved; a size below one is unknown.
func (b *bar) set(done, size int64) {
	if b.to == nil {
		return
	}
	if b.line == nil {
		b.line = progressbar.NewOptions64(max(size, -1),
			progressbar.OptionSetWriter(b.to),
			progressbar.OptionSetDescription(b.what),
			progressbar.OptionShowBytes(true),
			progressbar.OptionUseIECUnits(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetWidth(30),
			progressbar.OptionSetRenderBlankState(true),
		)
	}
	_ = b.line.Set64(done) // a bar that cannot be drawn must not stop the transfer
}

// end takes the bar off the terminal.
func (b *bar) end() {
	if b.line != nil {
		_ = b.line.Clear() // as above
	}
}
