package pikvm

import (
	"context"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// contact is a key or a button.
type contact struct {
	kind inputKind
	name string
}

// sticky reports whether the device leaves a key pressed that is to be finished: modifiers and PrintScreen (PiKVM API).
func (c contact) sticky() bool {
	switch Key(c.name) {
	case KeyShiftLeft, KeyShiftRight, KeyControlLeft, KeyControlRight, KeyAltLeft, KeyAltRight, KeyMetaLeft, KeyMetaRight,
		KeyPrintScreen:
		return true
	}
	return false
}

// inputWriter writes the input of one call, all of it on one connection, while other calls wait for their turn.
type inputWriter struct {
	session *Session
	op      string
	link    *eventLink
	binary  bool // the device knows binary frames
	finish  bool // the device releases a key by itself when it is told
	begun   bool // something was written, or may have been
	own     int  // how many of link.held were there before
}

// input waits for its turn and lets do write. What do has pressed is released if it fails.
func (s *Session) input(ctx context.Context, op string, do func(*inputWriter) error) error {
	if ctx.Err() != nil {
		return notSent(contextError(ctx, op, s.client.target, nil))
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return notSent(contextError(ctx, op, s.client.target, nil))
	}
	defer func() { <-s.turn }()
	s.mu.Lock()
	link, version := s.link, s.state.Version()
	s.mu.Unlock()
	if link == nil {
		return s.unconnected(op, nil)
	}
	w := &inputWriter{
		session: s, op: op, link: link, own: len(link.held),
		binary: !s.opts.TextInput && version.AtLeast(4, 53), finish: version.AtLeast(4, 33),
	}
	err := do(w)
	if err != nil {
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		_ = w.releaseFrom(release, w.own) // a connection that takes nothing has ended, and the device releases all
	}
	return err
}

// unconnected returns the error of input that was not written since there is no connection; cause, which may be nil, is
// newer than what the session knows.
func (s *Session) unconnected(op string, cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.final != nil:
		return s.final
	case s.life.Err() != nil:
		return closedError(op, s.client.target, errkit.NotSent)
	case cause == nil:
		cause = s.lastErr
	}
	return newWebSocketError(ErrNotConnected, op, s.client.target, 0, "", cause)
}

// notSent adds the kind NotSent to the error of a context.
func notSent(err error) error {
	switch e := err.(type) {
	case *errkit.Basic:
		e.Kind |= errkit.NotSent
	case *ConnectionTimeoutError:
		e.Kind |= errkit.NotSent
	}
	return err
}

func (w *inputWriter) stroke(ctx context.Context, c contact, stroke Stroke) error {
	switch stroke {
	case Press:
		return w.press(ctx, c)
	case Release:
		return w.release(ctx, c)
	}
	return w.tap(ctx, c)
}

// press presses c. From then on it counts as pressed, unless certainly nothing was sent.
func (w *inputWriter) press(ctx context.Context, c contact) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	if !slices.Contains(w.link.held, c) {
		w.link.held = append(w.link.held, c)
	}
	return w.write(ctx, strokeFrame(c.kind, w.binary, c.name, true, false))
}

// release releases c.
func (w *inputWriter) release(ctx context.Context, c contact) error {
	err := w.write(ctx, strokeFrame(c.kind, w.binary, c.name, false, false))
	if err == nil {
		w.forget(c)
	}
	return err
}

// tap presses and releases c, in one frame if that is possible.
func (w *inputWriter) tap(ctx context.Context, c contact) error {
	if c.kind == inputKey && w.finish && !c.sticky() {
		err := w.write(ctx, strokeFrame(c.kind, w.binary, c.name, true, true))
		if err == nil {
			w.forget(c)
		}
		return err
	}
	if err := w.press(ctx, c); err != nil {
		return err
	}
	return w.release(ctx, c)
}

func (w *inputWriter) forget(c contact) {
	if i := slices.Index(w.link.held, c); i >= 0 {
		w.link.held = slices.Delete(w.link.held, i, i+1)
		if i < w.own {
			w.own--
		}
	}
}

// releaseFrom releases what is pressed, but for the n contacts that were pressed first, the last one first.
func (w *inputWriter) releaseFrom(ctx context.Context, n int) error {
	for len(w.link.held) > n {
		if err := w.release(ctx, w.link.held[len(w.link.held)-1]); err != nil {
			return err
		}
	}
	return nil
}

// pace waits between two events.
func (w *inputWriter) pace(ctx context.Context, d time.Duration) error {
	if w.begun && retry.Wait(ctx, d) != nil {
		return contextError(ctx, w.op, w.session.client.target, nil)
	}
	return nil
}

// ready returns why nothing can be sent any more.
func (w *inputWriter) ready(ctx context.Context) error {
	s := w.session
	switch {
	case ctx.Err() != nil && w.begun:
		return contextError(ctx, w.op, s.client.target, nil)
	case ctx.Err() != nil:
		return notSent(contextError(ctx, w.op, s.client.target, nil))
	case w.link.conn.Err() == nil:
		return nil
	case w.begun && s.life.Err() == nil:
		return socketError(w.op, s.client.target, w.link.conn.Err())
	}
	return s.unconnected(w.op, w.link.conn.Err())
}

// write sends a frame.
func (w *inputWriter) write(ctx context.Context, f inputFrame) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	w.begun = true
	if err := w.link.conn.Write(f.typ, f.data); err != nil {
		return socketError(w.op, w.session.client.target, err)
	}
	return nil
}
