package pikvm

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient"
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
	case <-s.life.Done():
		return s.unconnected(op, nil)
	}
	defer func() { <-s.turn }()
	w := s.newInputWriter(op)
	if w == nil || s.life.Err() != nil {
		return s.unconnected(op, nil)
	}
	err := do(w)
	if err != nil {
		w.undo(ctx)
	}
	return err
}

// newInputWriter returns the writer for the present connection, nil if there is none. The caller has its turn.
func (s *Session) newInputWriter(op string) *inputWriter {
	s.mu.Lock()
	link, version := s.link, s.state.Version()
	s.mu.Unlock()
	if link == nil {
		return nil
	}
	return &inputWriter{
		session: s, op: op, link: link, own: len(link.held),
		binary: !s.opts.TextInput && version.AtLeast(4, 53), finish: version.AtLeast(4, 33),
	}
}

// letGo releases what is pressed before the session ends, unless that takes too long: the device does it, too, when the
// connection has ended.
func (s *Session) letGo() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-s.turn }()
	if w := s.newInputWriter("events.Close"); w != nil {
		_ = w.releaseFrom(ctx, 0) // it ends anyway
	}
}

// farewell is how long the end of a session waits for keys to be released.
const farewell = 500 * time.Millisecond

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
	sent, err := w.write(ctx, strokeFrame(c.kind, w.binary, c.name, true, false))
	if sent && !slices.Contains(w.link.held, c) {
		w.link.held = append(w.link.held, c)
	}
	return err
}

// release releases c.
func (w *inputWriter) release(ctx context.Context, c contact) error {
	_, err := w.write(ctx, strokeFrame(c.kind, w.binary, c.name, false, false))
	if err == nil {
		w.forget(c)
	}
	return err
}

// tap presses and releases c, in one frame if that is possible.
func (w *inputWriter) tap(ctx context.Context, c contact) error {
	if c.kind == inputKey && w.finish && !c.sticky() {
		_, err := w.write(ctx, strokeFrame(c.kind, w.binary, c.name, true, true))
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

// undo releases what the call has pressed, although ctx may have ended. A connection that does not even take that is given
// up: the device releases everything then.
func (w *inputWriter) undo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if w.releaseFrom(ctx, w.own) != nil {
		_ = w.link.conn.CloseNow() // returns nil
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
	if !w.begun {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-w.link.conn.Done():
		return w.gone()
	case <-w.session.life.Done():
		return w.gone()
	case <-ctx.Done():
		return w.interrupted(ctx)
	}
}

// write sends a frame, and reports whether the device may have it.
func (w *inputWriter) write(ctx context.Context, f inputFrame) (sent bool, err error) {
	err = w.send(ctx, f)
	switch {
	case err == nil:
		w.begun = true
		return true, nil
	case errors.Is(err, wsclient.ErrMaybeSent):
		w.begun = true
		return true, w.interrupted(ctx)
	case ctx.Err() != nil:
		return false, w.interrupted(ctx)
	case errors.Is(err, errkit.NotSent):
		return false, w.gone()
	}
	w.begun = true
	return true, socketError(w.op, w.session.client.target, err)
}

// send writes a frame unless there is a newer connection.
func (w *inputWriter) send(ctx context.Context, f inputFrame) error {
	s := w.session
	s.wire.Lock()
	defer s.wire.Unlock()
	s.mu.Lock()
	newest := s.newest
	s.mu.Unlock()
	if newest != w.link {
		return errkit.NotSent
	}
	return s.manager.Send(ctx, f.typ, f.data)
}

// interrupted returns the error of a call whose context has ended.
func (w *inputWriter) interrupted(ctx context.Context) error {
	err := contextError(ctx, w.op, w.session.client.target, nil)
	if !w.begun {
		return notSent(err)
	}
	return err
}

// gone returns the error of a call whose connection has ended.
func (w *inputWriter) gone() error {
	s := w.session
	switch {
	case !w.begun:
		return s.unconnected(w.op, w.link.conn.Err())
	case s.life.Err() != nil:
		return closedError(w.op, s.client.target, 0)
	}
	return newWebSocketError(ErrWebSocket, w.op, s.client.target, 0, "", errkit.Disconnected)
}
