package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// timeline prints what happens, when, and who says so. It may be used from several goroutines.
type timeline struct {
	out      io.Writer
	terminal bool
	start    time.Time

	mu     sync.Mutex
	scenes int
	live   string   // the last line of a terminal, which is still changing; empty for none
	order  []string // codes of the errors met, by their first appearance
	count  map[string]int
}

func newTimeline(out io.Writer) *timeline {
	return &timeline{out: out, terminal: isTerminal(out), start: time.Now(), count: make(map[string]int)}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// scene prints a heading.
func (t *timeline) scene(title string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scenes++
	t.write(fmt.Sprintf("\n%d. %s", t.scenes, title))
}

// say prints one line.
func (t *timeline) say(who, format string, a ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(who, fmt.Sprintf(format, a...))
}

// met prints an error with what a program can ask of it, and counts it.
func (t *timeline) met(who string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(err)
	t.explain(who, err)
}

// metAgain counts an error, and prints it if it is the first one of its class.
func (t *timeline) metAgain(who string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.add(err) == 1 {
		t.explain(who, err)
	}
}

// add counts an error and returns how many of its class there were.
func (t *timeline) add(err error) int {
	code := errkit.CodeOf(err)
	if t.count[code]++; t.count[code] == 1 {
		t.order = append(t.order, code)
	}
	return t.count[code]
}

func (t *timeline) explain(who string, err error) {
	t.print(who, "! "+err.Error())
	t.print("", fmt.Sprintf("  class %s, kinds %s, may pass: %t", errkit.CodeOf(err), errkit.KindOf(err), errkit.Transient(err)))
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
	t.write(fmt.Sprintf("%7.2fs  %-7s %s", time.Since(t.start).Seconds(), who, text))
}

// clearLine goes to the begin of a terminal's line and empties it (ECMA-48, CR and EL).
const clearLine = "\r\x1b[K"

// write prints a line above the one that is still changing.
func (t *timeline) write(text string) {
	if t.live == "" {
		fmt.Fprintln(t.out, text)
		return
	}
	fmt.Fprint(t.out, clearLine+text+"\n"+t.live)
}
