package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// timeline prints what happens, when, and who says so. It may be used from several goroutines.
type timeline struct {
	out   io.Writer
	start time.Time

	mu    sync.Mutex
	order []string // codes of the errors met, by their first appearance
	count map[string]int
}

func newTimeline(out io.Writer) *timeline {
	return &timeline{out: out, start: time.Now(), count: make(map[string]int)}
}

// say prints one line.
func (t *timeline) say(who, format string, a ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(who, fmt.Sprintf(format, a...))
}

// met prints an error with what a program can ask of it, and counts it.
func (t *timeline) met(who string, err error) {
	code := errkit.CodeOf(err)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count[code]++; t.count[code] == 1 {
		t.order = append(t.order, code)
	}
	t.print(who, "! "+err.Error())
	t.print("", fmt.Sprintf("  class %s, kinds %s, may pass: %t", code, errkit.KindOf(err), errkit.Transient(err)))
}

// times returns how often an error of the class was met.
func (t *timeline) times(class *errkit.Class) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count[class.Code()]
}

// summary prints the errors met, each once.
func (t *timeline) summary() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print("demo", "errors met:")
	for _, code := range t.order {
		t.print("", fmt.Sprintf("  %2d × %s", t.count[code], code))
	}
}

func (t *timeline) print(who, text string) {
	fmt.Fprintf(t.out, "%7.2fs  %-7s %s\n", time.Since(t.start).Seconds(), who, text)
}
