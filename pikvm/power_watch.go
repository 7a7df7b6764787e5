package pikvm

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// watch begins to collect the events of the session, or opens one. That it cannot be opened is no failure: there
// are requests, too.
func (r *powerRun) watch(ctx context.Context) error {
	if r.session != nil || r.blind {
		return nil
	}
	r.session = r.opts.Session
	if r.session == nil {
		var session *Session
		err := r.request(ctx, func(ctx context.Context) (err error) {
			session, err = r.atx.c.Events(ctx, nil)
			return err
		})
		switch {
		case ctx.Err() != nil:
			return r.interrupted(ctx)
		case err != nil:
			r.blind = true
			r.report(err)
			return nil
		}
		r.session = session
	}
	r.events = r.session.Subscribe(EventATX, EventConnected, EventDisconnected)
	return nil
}

func (r *powerRun) unwatch() {
	if r.events != nil {
		_ = r.events.Close() // never fails
	}
	if r.session != nil && r.session != r.opts.Session {
		_ = r.session.Close() // never fails
	}
}

// until waits for a state of which ok is true; an event only tells when to look. Zero limit means none.
func (r *powerRun) until(ctx context.Context, step, reason string, limit time.Duration, ok func(*ATXState) bool) error {
	if err := r.watch(ctx); err != nil {
		return err
	}
	r.begin(step)
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if limit != 0 {
		waiting, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	for {
		switch err := r.look(waiting); {
		case err == nil:
			if ok(r.state) {
				return nil
			}
		case waiting.Err() != nil:
		case isFinal(err) || errors.Is(err, ErrDisabled):
			return err
		default:
			r.report(err)
		}
		r.listen(waiting, ok)
		switch {
		case ctx.Err() != nil:
			return r.interrupted(ctx)
		case waiting.Err() != nil:
			return r.late(reason, limit)
		}
	}
}

// look asks the device for the state.
func (r *powerRun) look(ctx context.Context) error {
	return r.request(ctx, func(ctx context.Context) error {
		state, err := r.atx.State(ctx)
		switch {
		case err != nil:
			return err
		case !state.Enabled:
			return r.disabled()
		}
		r.state = state
		return nil
	})
}

// listen returns when it is time to look again: an event says that ok may be true, or that events were missed, or
// it has been long since the last look.
func (r *powerRun) listen(ctx context.Context, ok func(*ATXState) bool) {
	pause := powerPoll
	if r.session != nil && r.session.Connected() {
		pause = powerPollLive
	}
	ctx, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	for r.events != nil {
		ev, err := r.events.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil: // the session has ended
			r.events = nil
			r.blind = true
			r.report(err)
			return
		case ev.Type == EventDisconnected:
			r.blind = true
			r.report(ev.Err)
			return
		case ev.Type != EventATX:
			r.blind = true
			return
		}
		state := new(ATXState)
		if json.Unmarshal(ev.Data, state) != nil || ok(state) {
			return
		}
		r.state = state
	}
	<-ctx.Done()
}

// forget drops the events from before a press, so that only those of its own count as seen.
func (r *powerRun) forget() {
	r.pulsed, r.accepted = false, false
	r.blind = r.events == nil || !r.session.Connected()
	for r.events != nil {
		if _, _, ok, err := r.events.box.poll(); !ok || err != nil {
			return
		}
	}
}

// request makes one request, or opens one socket, under the limit of the client. The deadline of ctx would replace
// that limit, and one request without an answer would take all the time.
func (r *powerRun) request(ctx context.Context, do func(context.Context) error) error {
	limited, cancel := withoutDeadline(ctx)
	defer cancel()
	return do(limited)
}

// begin enters a step.
func (r *powerRun) begin(step string) {
	r.step = step
	r.tell(nil)
}

// report tells of trouble that the operation goes on with, once if it stays the same.
func (r *powerRun) report(err error) {
	same := r.trouble != nil && r.trouble.Error() == err.Error()
	r.trouble = err
	if !same {
		r.tell(err)
	}
}

func (r *powerRun) tell(err error) {
	if r.opts.OnStep != nil {
		r.opts.OnStep(PowerStep{Op: r.op, Name: r.step, State: r.state, Err: err})
	}
}
