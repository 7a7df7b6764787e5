package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestSoak is the short version.
func TestSoak(t *testing.T) {
	var out bytes.Buffer
	if err := soak(t.Context(), &out, 3*time.Second); err != nil {
		t.Error(err)
	}
	t.Logf("\n%s", &out)
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	flat := holding{goroutines: 100, heap: 10 << 20, objects: 50_000, files: 60}
	grown := map[string]func(*holding){
		"goroutines":   func(h *holding) { h.goroutines = 150 },
		"heap":         func(h *holding) { h.heap = 20 << 20 },
		"objects":      func(h *holding) { h.objects = 100_000 },
		"file handles": func(h *holding) { h.files = 100 },
	}
	if err := growth([]holding{flat, flat, flat, flat}); err != nil {
		t.Error(err)
	}
	if err := leftBehind(flat, flat); err != nil {
		t.Error(err)
	}
	for name, grow := range grown {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := flat
			grow(&h)
			if err := growth([]holding{flat, flat, flat, h}); err == nil {
				t.Error("growth was not noticed")
			}
			if err := leftBehind(flat, h); err == nil && name != "objects" {
				t.Error("what is left behind was not noticed")
			}
		})
	}
}
