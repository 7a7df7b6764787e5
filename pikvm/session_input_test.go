package pikvm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// struck is what the host noticed of an input.
type struck struct {
	Origin  pikvmtest.HIDOrigin
	Name    string
	Pressed bool
}

// strokes returns what the host noticed of keys and buttons.
func (f *fake) strokes() (all []struck) {
	for _, e := range f.HIDLog() {
		all = append(all, struck{e.Origin, e.Name, e.Pressed})
	}
	return all
}

// TestSessionInput works a device of every age over the socket, through what HID and Session have in common.
func TestSessionInput(t *testing.T) {
	t.Parallel()
	for version, origin := range map[string]pikvmtest.HIDOrigin{
		"4.197": pikvmtest.OriginBinary, "4.35": pikvmtest.OriginText, "4.20": pikvmtest.OriginText, "3.333": pikvmtest.OriginText,
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{Version: version}, nil, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				knowsATX(t, s)
				var in pikvm.Input = s
				ctx := t.Context()
				for _, err := range []error{
					in.Key(ctx, pikvm.KeyShiftLeft, pikvm.Press), in.Key(ctx, pikvm.KeyH, pikvm.Tap),
					in.Key(ctx, pikvm.KeyShiftLeft, pikvm.Release), in.Key(ctx, pikvm.KeyI, pikvm.Tap),
					in.Key(ctx, pikvm.KeyPrintScreen, pikvm.Tap),
					in.Button(ctx, pikvm.MouseRight, pikvm.Tap), in.MoveTo(ctx, 100, -100), in.Wheel(ctx, 0, 3),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if f.Typed() != "Hi" || len(f.Pressed()) != 0 {
					t.Errorf("typed %q, pressed %v", f.Typed(), f.Pressed())
				}
				log := f.HIDLog()
				for _, e := range log {
					if e.Origin != origin {
						t.Errorf("%+v is not of origin %s", e, origin)
					}
				}
				moves := log[len(log)-2:]
				if moves[0].X != 100 || moves[0].Y != -100 || moves[1].Y != 3 || len(log) != 12 {
					t.Errorf("log is %+v", log)
				}
			})
		})
	}
}

// TestSessionInputRefusals: what is wrong is refused before anything is sent, by HID and Session alike.
func TestSessionInputRefusals(t *testing.T) {
	t.Parallel()
	far := pikvm.MouseStep{X: 0, Y: -128}
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		ctx := t.Context()
		both := func(call func(in pikvm.Input) error) []error { return []error{call(s), call(f.client.HID)} }
		for field, errs := range map[string][]error{
			"key":    both(func(in pikvm.Input) error { return in.Key(ctx, "keya", pikvm.Tap) }),
			"button": both(func(in pikvm.Input) error { return in.Button(ctx, "Left", pikvm.Tap) }),
			"stroke": append(both(func(in pikvm.Input) error { return in.Key(ctx, pikvm.KeyA, 3) }),
				both(func(in pikvm.Input) error { return in.Button(ctx, pikvm.MouseLeft, -1) })...),
			"x":  both(func(in pikvm.Input) error { return in.MoveTo(ctx, -32769, 0) }),
			"y":  both(func(in pikvm.Input) error { return in.MoveTo(ctx, 0, 32768) }),
			"dx": both(func(in pikvm.Input) error { return in.MoveBy(ctx, 128, 0) }),
			"dy": both(func(in pikvm.Input) error { return in.Wheel(ctx, 0, -128) }),
			"steps": {
				s.MoveByAll(ctx, []pikvm.MouseStep{{}, far}, true), s.WheelAll(ctx, []pikvm.MouseStep{far}, false),
			},
			"keys": {
				s.Shortcut(ctx), s.Shortcut(ctx, "Nope"), s.Shortcut(ctx, pikvm.KeyA, pikvm.KeyA),
			},
		} {
			for _, err := range errs {
				e, ok := errors.AsType[*pikvm.ConfigurationError](err)
				if !ok || e.Field != field || !errors.Is(err, errkit.NotSent) {
					t.Errorf("%s: error is %v", field, err)
				}
			}
		}
		synctest.Wait()
		if len(f.HIDLog()) != 0 {
			t.Errorf("the device got %+v", f.HIDLog())
		}
	})
}

// TestSessionShortcut: in order, released in reverse, at the pace of the device.
func TestSessionShortcut(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		start := time.Now()
		if err := s.Shortcut(t.Context(), pikvm.KeyControlLeft, pikvm.KeyAltLeft, pikvm.KeyDelete); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 250*time.Millisecond {
			t.Errorf("took %v", took)
		}
		synctest.Wait()
		const o = pikvmtest.OriginBinary
		want := []struck{
			{o, "ControlLeft", true},
			{o, "AltLeft", true},
			{o, "Delete", true},
			{o, "Delete", false},
			{o, "AltLeft", false},
			{o, "ControlLeft", false},
		}
		if d := cmp.Diff(want, f.strokes()); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

// TestSessionReleasesOnCancel: a shortcut that is canceled on the way leaves what others hold, and nothing of its own.
func TestSessionReleasesOnCancel(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		if err := s.Key(t.Context(), pikvm.KeyShiftLeft, pikvm.Press); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(70*time.Millisecond, cancel) // when two are pressed
		err := s.Shortcut(ctx, pikvm.KeyControlLeft, pikvm.KeyAltLeft, pikvm.KeyDelete)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.Canceled) || errors.Is(err, errkit.NotSent) {
			t.Errorf("error is %v", err)
		}
		synctest.Wait()
		const o = pikvmtest.OriginBinary
		want := []struck{
			{o, "ShiftLeft", true}, {o, "ControlLeft", true}, {o, "AltLeft", true}, {o, "AltLeft", false}, {o, "ControlLeft", false},
		}
		if d := cmp.Diff(want, f.strokes()); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		err = s.Key(ctx, pikvm.KeyA, pikvm.Press)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("canceled before: error is %v", err)
		}
		if err := s.ReleaseAll(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(f.Pressed()) != 0 || len(f.strokes()) != 6 {
			t.Errorf("pressed %v, strokes %v", f.Pressed(), f.strokes())
		}
		if err := s.ReleaseAll(t.Context()); err != nil || len(f.strokes()) != 6 {
			t.Errorf("nothing to release: %v, strokes %v", err, f.strokes())
		}
	})
}

// TestSessionInputWaitsForItsTurn: another call does not get between the keys of a shortcut, and its context ends the wait.
func TestSessionInputWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		shortcut := make(chan error, 1)
		go func() { shortcut <- s.Shortcut(t.Context(), pikvm.KeyAltLeft, pikvm.KeyTab) }()
		synctest.Wait()
		err := s.Key(within(t, 10*time.Millisecond), pikvm.KeyB, pikvm.Tap)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, pikvm.ErrConnectionTimeout) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("error is %v", err)
		}
		if err := s.Key(t.Context(), pikvm.KeyA, pikvm.Press); err != nil {
			t.Error(err)
		}
		if err := <-shortcut; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		got := f.strokes()
		if len(got) != 5 || got[4].Name != "KeyA" {
			t.Errorf("strokes are %v", got)
		}
	})
}

// TestSessionInputWithoutConnection: input fails at once, is not sent later, and what was pressed counts as released.
func TestSessionInputWithoutConnection(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, &pikvm.EventOptions{Backoff: steady})
		knowsATX(t, s)
		if err := s.Key(t.Context(), pikvm.KeyShiftLeft, pikvm.Press); err != nil {
			t.Fatal(err)
		}
		sub := s.Subscribe(pikvm.EventConnected)
		f.SetDown(5 * time.Second)
		f.DropSockets(0)
		synctest.Wait()
		f.ClearHIDLog()
		for name, call := range map[string]func() error{
			"Key":        func() error { return s.Key(t.Context(), pikvm.KeyA, pikvm.Tap) },
			"Button":     func() error { return s.Button(t.Context(), pikvm.MouseLeft, pikvm.Press) },
			"MoveTo":     func() error { return s.MoveTo(t.Context(), 1, 1) },
			"MoveBy":     func() error { return s.MoveBy(t.Context(), 1, 1) },
			"Wheel":      func() error { return s.Wheel(t.Context(), 1, 1) },
			"Shortcut":   func() error { return s.Shortcut(t.Context(), pikvm.KeyA) },
			"ReleaseAll": func() error { return s.ReleaseAll(t.Context()) },
		} {
			start := time.Now()
			err := call()
			if _, ok := errors.AsType[*pikvm.WebSocketError](err); !ok || !errors.Is(err, pikvm.ErrNotConnected) ||
				!errors.Is(err, errkit.NotSent) || time.Since(start) != 0 {
				t.Errorf("%s: error is %v after %v", name, err, time.Since(start))
			}
		}
		next(t, sub)
		knowsATX(t, s)
		if err := s.ReleaseAll(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(f.strokes()) != 0 {
			t.Errorf("the device got %v", f.strokes())
		}
		_ = s.Close()
		err := s.Key(t.Context(), pikvm.KeyA, pikvm.Tap)
		if !errors.Is(err, pikvm.ErrClosed) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("closed: error is %v", err)
		}
	})
}

// TestSessionInputBreaks: a shortcut whose connection breaks on the way is not finished on the next one.
func TestSessionInputBreaks(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, &pikvm.EventOptions{Backoff: steady})
		knowsATX(t, s)
		time.Sleep(11 * time.Second) // then it reconnects at once
		knowsATX(t, s)
		time.AfterFunc(70*time.Millisecond, func() { f.DropSockets(0) })
		err := s.Shortcut(t.Context(), pikvm.KeyControlLeft, pikvm.KeyAltLeft, pikvm.KeyDelete)
		if _, ok := errors.AsType[*pikvm.WebSocketError](err); !ok || errors.Is(err, errkit.NotSent) || !errors.Is(err, errkit.Disconnected) {
			t.Errorf("error is %v", err)
		}
		synctest.Wait()
		if !s.Connected() || s.Stats().Connections != 2 {
			t.Error("there is no new connection")
		}
		for _, got := range f.strokes() {
			if got.Name == "Delete" || !got.Pressed && got.Origin != pikvmtest.OriginSocket {
				t.Errorf("the device got %v", got)
			}
		}
	})
}

// TestSessionCloseReleases: the end of a session releases what it has pressed, before the device does.
func TestSessionCloseReleases(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(f *fake, s *pikvm.Session) error{
		"session": func(_ *fake, s *pikvm.Session) error { return s.Close() },
		"client":  func(f *fake, _ *pikvm.Session) error { return f.client.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				knowsATX(t, s)
				for _, key := range []pikvm.Key{pikvm.KeyShiftLeft, pikvm.KeyA} {
					if err := s.Key(t.Context(), key, pikvm.Press); err != nil {
						t.Fatal(err)
					}
				}
				shortcut := make(chan error, 1)
				go func() { shortcut <- s.Shortcut(t.Context(), pikvm.KeyControlLeft, pikvm.KeyC) }()
				synctest.Wait()
				if err := end(f, s); err != nil {
					t.Error(err)
				}
				if err := <-shortcut; !errors.Is(err, pikvm.ErrClosed) || errors.Is(err, errkit.NotSent) {
					t.Errorf("error of the shortcut is %v", err)
				}
				synctest.Wait()
				const o = pikvmtest.OriginBinary
				want := []struck{
					{o, "ShiftLeft", true},
					{o, "KeyA", true},
					{o, "ControlLeft", true},
					{o, "ControlLeft", false},
					{o, "KeyA", false},
					{o, "ShiftLeft", false},
				}
				if d := cmp.Diff(want, f.strokes()); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			})
		})
	}
}
