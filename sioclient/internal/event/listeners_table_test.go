package event_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// However handlers come and go, an event reaches those of its name, in the order in which they were added.
func TestManyNames(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var l event.Listeners
	var got []int
	want := make(map[string][]int)
	type added struct {
		name string
		n    int
		off  func()
	}
	var all []added
	for n := range 600 {
		name := fmt.Sprint("event ", random.IntN(40))
		switch {
		case n%3 == 2 && len(all) > 0:
			i := random.IntN(len(all))
			a := all[i]
			a.off()
			all = append(all[:i:i], all[i+1:]...)
			kept := []int{}
			for _, m := range want[a.name] {
				if m != a.n {
					kept = append(kept, m)
				}
			}
			want[a.name] = kept
		case n%50 == 49:
			l.Remove(name)
			want[name] = nil
		default:
			off := l.On(name, func(*event.Event) error {
				got = append(got, n)
				return nil
			})
			all = append(all, added{name, n, off})
			want[name] = append(want[name], n)
		}
		for i := range 41 { // number 40 has none
			name := fmt.Sprint("event ", i)
			got = nil
			handled := l.Dispatch(event.New(name, packet.Args{}), nil)
			if diff := cmp.Diff(len(want[name]), l.Len(name)); diff != "" {
				t.Fatal(name, "-want +got", diff)
			}
			if fmt.Sprint(got) != fmt.Sprint(want[name]) || handled != (len(got) > 0) || handled != l.Has(name) {
				t.Fatalf("%s: got %v, want %v", name, got, want[name])
			}
		}
	}
}
