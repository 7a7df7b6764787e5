package main

import (
	"context"
	"errors"
	"testing"
)

// TestHub checks what becomes of wrong commands and of a hub that has ended.
func TestHub(t *testing.T) {
	t.Parallel()
	h, err := startHub(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.close() })
	if err := h.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, roots, err := h.credentials(); err != nil || roots == nil {
		t.Error(err)
	}
	if _, err := h.ask(t.Context(), "jump"); err == nil {
		t.Error("the hub knows how to jump")
	}
	if a, err := h.ask(t.Context(), "samples "+gatewayID); err != nil || a.Event != "samples" || len(a.Samples) > 0 {
		t.Errorf("%+v, %v", a, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.until(ctx, "counts "+gatewayID, func(hubAnswer) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
	if err := h.close(); err != nil {
		t.Errorf("the hub ended with %v", err)
	}
	if _, err := h.ask(t.Context(), "counts "+gatewayID); err == nil {
		t.Error("an answer of a hub that has ended")
	}
}
