package pikvm

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// defaultPace is the pause between two events of a text.
const defaultPace = 20 * time.Millisecond

// paceOf is the pace that an option asks for: zero means the default, negative means none.
func paceOf(option time.Duration) time.Duration {
	if option == 0 {
		return defaultPace
	}
	return max(option, 0)
}

// keyEvent is the press or the release of a key.
type keyEvent struct {
	key   Key
	down  bool
	pause time.Duration // before it, on top of the pace
	done  int           // characters that are typed when it has happened
}

// script collects the events of a text. Shift and AltGr are held for as many characters in a row as need them.
type script struct {
	events       []keyEvent
	done         int
	shift, altGr bool
}

// hold presses or releases Shift and AltGr as a stroke needs them.
func (s *script) hold(shift, altGr bool) {
	for _, down := range []bool{false, true} { // what is not needed is released first
		for _, m := range []struct {
			key    Key
			held   *bool
			wanted bool
		}{{KeyShiftLeft, &s.shift, shift}, {KeyAltRight, &s.altGr, altGr}} {
			if *m.held != m.wanted && m.wanted == down {
				*m.held = down
				s.event(m.key, down)
			}
		}
	}
}

func (s *script) event(key Key, down bool) {
	s.events = append(s.events, keyEvent{key: key, down: down, done: s.done})
}

// character types a character; false means that the layout lacks it.
func (s *script) character(r rune, l layout) bool {
	strokes, ok := l[r]
	for i, stroke := range strokes {
		s.hold(stroke.shift, stroke.altGr)
		s.event(stroke.key, true)
		if i == len(strokes)-1 {
			s.done++
		}
		s.event(stroke.key, false)
	}
	return ok
}

// chord presses keys in their order and releases them in reverse, after some time.
func (s *script) chord(keys []Key, held time.Duration) {
	s.hold(false, false)
	for _, key := range keys {
		s.event(key, true)
	}
	for i, key := range slices.Backward(keys) {
		if i == 0 {
			s.done++
		}
		s.event(key, false)
		if i == len(keys)-1 {
			s.events[len(s.events)-1].pause = held
		}
	}
}

// typist plays a script on a keyboard.
type typist struct {
	client  *Client
	input   presser
	life    context.Context // of the input; its end ends the pauses, and the next event tells what is wrong
	confirm func(ctx context.Context) error
	op      string
	pace    time.Duration // between two events
	report  func(done, total int)
}

// play works the keys. When that fails, what is pressed is released.
func (t *typist) play(ctx context.Context, s *script) error {
	run, err := t.client.beginLimited(ctx, t.op, 0)
	if err != nil {
		return err
	}
	defer run.end()
	awake, cancel := context.WithCancel(run.ctx)
	defer cancel()
	defer context.AfterFunc(t.life, cancel)()
	held := holder{input: t.input}
	typed := 0
	stop := func(cause error) error {
		if !held.begun {
			return cause
		}
		stuck, _ := held.release(ctx)
		return stoppedTyping(t.client, t.op, cause, typed, s.done, stuck)
	}
	for i, event := range s.events {
		pause := event.pause
		if i > 0 {
			pause += t.pace
		}
		if retry.Wait(awake, pause) != nil && run.ctx.Err() != nil {
			return stop(run.failure(nil, true))
		}
		if err := held.key(ctx, event.key, event.down); err != nil {
			return stop(err)
		}
		if event.done > typed && t.report != nil {
			t.report(event.done, s.done)
		}
		typed = event.done
	}
	if err := t.confirm(run.ctx); err != nil {
		if ctx.Err() != nil || t.client.life.Err() != nil {
			err = run.failure(nil, true)
		}
		return stop(err)
	}
	return nil
}

// notTypeable returns the error of a text with a character, counted from 0, that cannot be typed.
func notTypeable(op string, place int, why string) error {
	return configurationError(op, "text", "character "+strconv.Itoa(place+1)+" "+why)
}
