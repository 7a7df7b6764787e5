package ngtt_test

import (
	"errors"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// TestOrderDecodeIsBounded shows that a small body cannot take much memory.
func TestOrderDecodeIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		elements int
		reason   minijson.Reason
	}{
		{"most", 1<<17 - 1, ""}, // and the list itself
		{"one more", 1 << 17, minijson.ReasonCount},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body, err := minijson.Marshal([]any{make([]bool, c.elements)})
			if err != nil {
				t.Fatal(err)
			}
			var v any
			err = (&ngtt.Order{Body: body}).Decode(&v)
			e, _ := errors.AsType[*minijson.DecodingError](err)
			switch {
			case c.reason == "" && err != nil:
				t.Error(err)
			case c.reason != "" && (e == nil || e.Reason != c.reason || !errors.Is(err, ngtt.Err) || !errors.Is(err, errkit.Err)):
				t.Errorf("got %v", err)
			}
		})
	}
}
