package outbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Whether Wrap appends to what it gets or returns something of its own, each message of a batch goes out whole.
func TestWrapManyAtOnce(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(dst []byte, m outbox.Message) []byte{
		"appended": func(dst []byte, m outbox.Message) []byte { return append(fmt.Appendf(dst, "%d|", m.Number), m.Data...) },
		"own":      func(_ []byte, m outbox.Message) []byte { return fmt.Appendf(nil, "%d|%s", m.Number, m.Data) },
		"mixed": func(dst []byte, m outbox.Message) []byte {
			if m.Number%2 == 0 {
				dst = nil
			}
			return append(fmt.Appendf(dst, "%d|", m.Number), m.Data...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := outbox.New(outbox.Config{Wrap: wrap})
			b.Up(1)
			for round := range 5 {
				var want []string
				for i := range 50 {
					text := strings.Repeat("x", i*i*(round%2+1)/3)
					if err := b.Put(t.Context(), wsconn.Text, []byte(text), nil); err != nil {
						t.Fatal(err)
					}
					want = append(want, fmt.Sprintf("%d|%s", round*50+i+1, text))
				}
				got := next(t, b)
				equal(t, want, got)
				b.Sent(len(got))
			}
		})
	}
}
