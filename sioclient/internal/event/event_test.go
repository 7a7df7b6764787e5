package event_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

type sentAck struct {
	ID   uint64
	Args []any
}

type acker struct {
	mu   sync.Mutex
	sent []sentAck
	err  error
}

func (a *acker) SendAck(id uint64, args []any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	a.sent = append(a.sent, sentAck{id, args})
	return nil
}

func TestEventIsAcknowledgedAtMostOnce(t *testing.T) {
	t.Parallel()
	var a acker
	e := event.NewAcked("x", packet.Args{}, &a, 0)
	if !e.WantsAck() {
		t.Error("WantsAck = false before")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := e.Ack(1, "two"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if d := cmp.Diff([]sentAck{{0, []any{1, "two"}}}, a.sent); d != "" {
		t.Errorf("acks (-want +got):\n%s", d)
	}
	if e.WantsAck() {
		t.Error("WantsAck = true after")
	}
}

func TestAckThatFailedMayBeSentAgain(t *testing.T) {
	t.Parallel()
	a := acker{err: errors.New("cannot encode")}
	e := event.NewAcked("x", packet.Args{}, &a, 5)
	if err := e.Ack(make(chan int)); err == nil {
		t.Error("no error")
	}
	a.err = nil
	if err := e.Ack(); err != nil || len(a.sent) != 1 {
		t.Errorf("second Ack: %v, %d sent", err, len(a.sent))
	}
}

func TestAckOfAnEventThatWantsNone(t *testing.T) {
	t.Parallel()
	e := event.New("x", packet.Args{})
	if err := e.Ack(1); err != nil || e.WantsAck() {
		t.Errorf("Ack = %v, WantsAck = %t, want nil, false", err, e.WantsAck())
	}
}

func TestDecodeTellsWhichArgument(t *testing.T) {
	t.Parallel()
	args, err := packet.ParseArgs([]byte(`["a",null,3]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := event.New("chat", args)
	var text string
	var missing int
	if err := e.Decode(&text); err != nil || text != "a" {
		t.Errorf("Decode = %v, %q", err, text)
	}
	var skip any
	var third, fourth int
	fourth = 4
	if err := e.Decode(&text, &skip, &third, &fourth); err != nil || third != 3 || fourth != 4 {
		t.Errorf("Decode = %v, %d, %d, want nil, 3, 4", err, third, fourth)
	}
	err = e.Decode(&missing)
	var de *sioerr.DecodeError
	if !errors.As(err, &de) || de.Event != "chat" || de.Index != 0 {
		t.Errorf("Decode of a string into an int = %v, want a DecodeError of argument 0 of chat", err)
	}
}
