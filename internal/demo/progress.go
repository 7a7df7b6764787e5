package main

import (
	"fmt"
	"strings"
	"time"
)

// bar shows how far something is: on a terminal in one line that is written again and again, elsewhere in a line for each
// quarter.
type bar struct {
	t         *timeline
	who, what string
	start     time.Time
	last      int64 // hundredths, or on others than terminals quarters, that were shown
}

func (t *timeline) bar(who, what string) *bar {
	return &bar{t: t, who: who, what: what, start: time.Now()}
}

// set shows that so many bytes of size are done.
func (b *bar) set(done, size int64) {
	steps := int64(4)
	if b.t.terminal {
		steps = 100
	}
	if step := done * steps / size; step != b.last {
		b.last = step
		b.show(done, size)
	}
}

const (
	barWidth = 32
	mib      = 1 << 20
)

func (b *bar) show(done, size int64) {
	filled := int(done * barWidth / size)
	text := fmt.Sprintf("%s [%s%s] %3d %% of %d MiB, %.0f MiB/s", b.what,
		strings.Repeat("#", filled), strings.Repeat("-", barWidth-filled), done*100/size, size/mib,
		float64(done)/mib/max(time.Since(b.start).Seconds(), 1e-3))
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	if !b.t.terminal || done == size {
		b.t.end()
		b.t.print(b.who, text)
		return
	}
	b.t.live = fmt.Sprintf("%7.2fs  %-7s %s", time.Since(b.t.start).Seconds(), b.who, text)
	fmt.Fprint(b.t.out, clearLine+b.t.live)
}

// close takes a line away that is still changing: what it counted has ended.
func (b *bar) close() {
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	b.t.end()
}

func (t *timeline) end() {
	if t.live != "" {
		t.live = ""
		fmt.Fprint(t.out, clearLine)
	}
}
