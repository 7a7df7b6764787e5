package cli

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows on the terminal how a transfer goes. Without a person to see it, it does nothing.
type bar struct{ line *progressbar.ProgressBar }

// bar makes a bar for a transfer of size bytes; less than one means that the size is not known yet.
func (a *app) bar(t *target, what string, size int64) *bar {
	if !a.sys.StderrTerminal || !t.one {
		return &bar{}
	}
	return &bar{progressbar.NewOptions64(max(size, -1),
		progressbar.OptionSetWriter(a.sys.Stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetRenderBlankState(true),
	)}
}

// set shows that done bytes of size have been moved; a size below one is unknown.
func (b *bar) set(done, size int64) {
	if b.line == nil {
		return
	}
	if size > 0 && b.line.GetMax64() != size {
		b.line.ChangeMax64(size)
	}
	_ = b.line.Set64(done) // a bar that cannot be drawn must not stop the transfer
}

// end takes the bar off the terminal.
func (b *bar) end() {
	if b.line != nil {
		_ = b.line.Clear() // as above
	}
}
