//go:build !js

package wsclient

import (
	"crypto/sha256"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// maxKey is the longest key that is remembered as it is, in bytes. Of longer ones a hash is.
const maxKey = 64

// DedupOptions recognise messages that arrive more than once, from peers that deliver at least once. A repeated message
// is dropped and counted; it has no number.
type DedupOptions struct {
	// Key returns what tells messages apart, such as an identifier inside. It reports false for messages that must not
	// be compared. It is called on the goroutine that reads and must not keep the data. It is required.
	Key func(Message) (key string, ok bool)

	// Window is how many keys are remembered: a repetition after as many others is not recognised. Zero means 4096.
	Window int
}

func (o DedupOptions) withDefaults() (DedupOptions, error) {
	switch {
	case o.Key == nil:
		return o, wserr.Config(opNew, "Receive.Dedup.Key", "missing")
	case o.Window < 0:
		return o, wserr.Config(opNew, "Receive.Dedup.Window", "negative")
	case o.Window == 0:
		o.Window = 4096
	}
	return o, nil
}

// dedup remembers the keys of the last messages. A nil one remembers nothing. Its owner serialises the calls.
type dedup struct {
	opts   DedupOptions
	known  map[string]struct{}
	order  []string // as a ring, once it is full
	oldest int

	key string // of the message that was looked at last
	ok  bool   // whether it has one
}

func newDedup(o *DedupOptions) *dedup {
	return &dedup{opts: *o, known: make(map[string]struct{})}
}

// repeated looks at a message and reports whether it has come before.
func (d *dedup) repeated(m Message) bool {
	d.ok = false // also if Key panics
	if d.key, d.ok = d.opts.Key(m); !d.ok {
		return false
	}
	if len(d.key) > maxKey {
		sum := sha256.Sum256([]byte(d.key))
		d.key = string(sum[:])
	}
	_, known := d.known[d.key]
	return known
}

// keep remembers the message that was looked at last, and forgets the oldest of too many. It is called when the message
// has found a place: one that was dropped may come again.
func (d *dedup) keep() {
	if d == nil || !d.ok {
		return
	}
	d.known[d.key] = struct{}{}
	if len(d.order) < d.opts.Window {
		d.order = append(d.order, d.key)
		return
	}
	delete(d.known, d.order[d.oldest])
	d.order[d.oldest] = d.key
	d.oldest = (d.oldest + 1) % d.opts.Window
}
