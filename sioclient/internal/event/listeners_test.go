package event_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// journal notes who was called, in order.
type journal []string

func (j *journal) note(who string) event.Handler {
	return func(e *event.Event) error {
		*j = append(*j, who+"("+e.Name+")")
		return nil
	}
}

func TestDispatchRunsCatchAllFirstAndInOrder(t *testing.T) {
	t.Parallel()
	var l event.Listeners
	var got journal
	l.On("a", got.note("first"))
	l.On("a", got.note("second"))
	l.On("b", got.note("other"))
	l.OnAny(got.note("any"))
	l.PrependAny(got.note("prepended"))
	if !l.Dispatch(event.New("a", packet.Args{}), nil) {
		t.Error("Dispatch of an event with handlers = false")
	}
	if l.Dispatch(event.New("c", packet.Args{}), nil) {
		t.Error("Dispatch of an event with catch-all handlers alone = true")
	}
	want := journal{"prepended(a)", "any(a)", "first(a)", "second(a)", "prepended(c)", "any(c)"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestOffRemovesOneHandler(t *testing.T) {
	t.Parallel()
	var l event.Listeners
	var got journal
	off := l.On("a", got.note("gone"))
	l.On("a", got.note("kept"))
	offAny := l.OnAny(got.note("any"))
	off()
	off()
	offAny()
	l.Dispatch(event.New("a", packet.Args{}), nil)
	if d := cmp.Diff(journal{"kept(a)"}, got); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if l.Len("a") != 1 || !l.Has("a") || l.HasAny() {
		t.Errorf("Len = %d, Has = %t, HasAny = %t, want 1, true, false", l.Len("a"), l.Has("a"), l.HasAny())
	}
}

func TestOnceIsGoneBeforeItRuns(t *testing.T) {
	t.Parallel()
	var l event.Listeners
	calls := 0
	l.Once("a", func(e *event.Event) error {
		calls++
		l.Dispatch(event.New("a", packet.Args{}), nil)
		return nil
	})
	l.Dispatch(event.New("a", packet.Args{}), nil)
	l.Dispatch(event.New("a", packet.Args{}), nil)
	if calls != 1 || l.Has("a") {
		t.Errorf("calls = %d, Has = %t, want 1, false", calls, l.Has("a"))
	}
}

func TestChangesFromAHandler(t *testing.T) {
	t.Parallel()
	var l event.Listeners
	var got journal
	var off func()
	l.On("a", func(*event.Event) error {
		off()
		l.On("a", got.note("new"))
		return nil
	})
	off = l.On("a", got.note("removed"))
	l.Dispatch(event.New("a", packet.Args{}), nil)
	if len(got) != 0 {
		t.Errorf("calls = %v, want none: one was removed, one came later", got)
	}
	for _, remove := range []func(){func() { l.Remove("a") }, l.RemoveAny, l.RemoveAll} {
		l.On("a", func(*event.Event) error { remove(); return nil })
		l.OnAny(func(*event.Event) error { remove(); return nil })
		l.Dispatch(event.New("a", packet.Args{}), nil)
	}
	if l.Has("a") || l.HasAny() {
		t.Errorf("Has = %t, HasAny = %t, want neither after RemoveAll", l.Has("a"), l.HasAny())
	}
}

func TestErrorsAndPanicsAreReportedAndEndNothing(t *testing.T) {
	t.Parallel()
	var l event.Listeners
	var got journal
	bad, worse := errors.New("bad"), errors.New("worse")
	l.On("a", func(*event.Event) error { return bad })
	l.On("a", func(*event.Event) error { panic(worse) })
	l.On("a", func(*event.Event) error { panic("a text") })
	l.On("a", got.note("last"))
	var errs []error
	l.Dispatch(event.New("a", packet.Args{}), func(e *event.Event, err error) { errs = append(errs, err) })
	if len(errs) != 3 {
		t.Fatalf("errors = %v, want 3", errs)
	}
	if errs[0] != bad {
		t.Errorf("first error = %v, want the handler's own", errs[0])
	}
	if !errors.Is(errs[1], sioerr.ErrHandler) || !errors.Is(errs[1], worse) {
		t.Errorf("second error = %v, want ErrHandler around the panic's error", errs[1])
	}
	if !errors.Is(errs[2], sioerr.ErrHandler) {
		t.Errorf("third error = %v, want ErrHandler", errs[2])
	}
	if d := cmp.Diff(journal{"last(a)"}, got); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestDispatchDoesNotAllocate(t *testing.T) {
	var l event.Listeners
	l.On("a", func(*event.Event) error { return nil })
	l.OnAny(func(*event.Event) error { return nil })
	e := event.New("a", packet.Args{})
	if n := testing.AllocsPerRun(100, func() { l.Dispatch(e, nil) }); n != 0 {
		t.Errorf("allocations = %v, want 0", n)
	}
}
