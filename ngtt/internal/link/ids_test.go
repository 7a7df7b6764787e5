package link

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestIDsGoRoundAndSkipLiveOnes(t *testing.T) {
	t.Parallel()
	var s ids
	take := func(want uint16) {
		t.Helper()
		if got, ok := s.take(); !ok || got != want {
			t.Fatalf("%d, %v, want %d", got, ok, want)
		}
	}
	for want := uint16(1); want <= 3; want++ {
		take(want)
	}
	s.free(1)
	for want := uint16(4); want != maxID+1; want++ {
		take(want)
		if want > 4 {
			s.free(want)
		}
	}
	take(1) // 2 and 3 are live
	take(5)
	for range maxID - 5 {
		if _, ok := s.take(); !ok {
			t.Fatal("exhausted too early")
		}
	}
	if id, ok := s.take(); ok {
		t.Errorf("%d beside %d live ones", id, len(s.live))
	}
	s.free(77)
	take(77)
}
