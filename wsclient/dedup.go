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

// dedup remembers the keys of the last messages. Its owner serialises the calls.
type dedup struct {
	window int
	known  map[string]struct{}
	order  []string // as a ring, once it is full
	oldest int
}

func newDedup(window int) *dedup {
	return &dedup{window: window, known: make(map[string]struct{})}
}

// short bounds the memory for a key.
func short(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return string(sum[:])
}

// has reports whether a key, made short, is remembered.
func (d *dedup) has(key string) bool {
	_, ok := d.known[key]
	return ok
}

// add remembers a key, made short, and forgets the oldest of too many.
func (d *dedup) add(key string) {
	if d.has(key) {
		return
	}
	d.known[key] = struct{}{}
	if len(d.order) < d.window {
		d.order = append(d.order, key)
		return
	}
	delete(d.known, d.order[d.oldest])
	d.order[d.oldest] = key
	d.oldest = (d.oldest + 1) % d.window
}
