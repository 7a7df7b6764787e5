package pikvm_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// fake is a device on a network in memory, with a client for it. It must be made in a synctest bubble.
type fake struct {
	*pikvmtest.Server
	network *netem.Network
	client  *pikvm.Client
}

// inBubble runs a test with a device under a fake clock. Nil options are the defaults.
func inBubble(t *testing.T, device *pikvmtest.Options, client *pikvm.Options, test func(t *testing.T, f *fake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, startFake(t, device, client))
	})
}

func startFake(t *testing.T, device *pikvmtest.Options, client *pikvm.Options) *fake {
	t.Helper()
	network := netem.New(nil)
	var d pikvmtest.Options
	if device != nil {
		d = *device
	}
	d.Listener = listen(t, network, "kvm.example:80")
	server := pikvmtest.New(&d)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	var o pikvm.Options
	if client != nil {
		o = *client
	}
	if o.Password == "" {
		o.Password = "admin"
	}
	return &fake{server, network, newClient(t, kvmHTTP, on(network, o))}
}

// open opens a session that the test closes at its end.
func (f *fake) open(t *testing.T, opts *pikvm.EventOptions) *pikvm.Session {
	t.Helper()
	s, err := f.client.Events(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// within returns a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// next returns the next event, which must come within a minute.
func next(t *testing.T, sub *pikvm.Subscription) pikvm.Event {
	t.Helper()
	ev, err := sub.Next(within(t, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// nextOf skips to the next event of a type.
func nextOf(t *testing.T, sub *pikvm.Subscription, want pikvm.EventType) pikvm.Event {
	t.Helper()
	for {
		if ev := next(t, sub); ev.Type == want {
			return ev
		}
	}
}

// knowsATX waits until the state of the buttons is known and the device has no more to say for now.
func knowsATX(t *testing.T, s *pikvm.Session) *pikvm.State {
	t.Helper()
	state, err := s.Wait(within(t, time.Minute), func(s *pikvm.State) bool { _, ok := s.ATX(); return ok })
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return state
}
