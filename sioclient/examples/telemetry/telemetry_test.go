package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

func TestMain(m *testing.M) { leak.Main(m) }

var silent = slog.New(slog.DiscardHandler)

// inBubble runs a test with a collector on a fake clock.
func inBubble(t *testing.T, test func(t *testing.T, srv *siotest.Server, s settings)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, err := siotest.NewServer(collectorOptions(silent))
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		test(t, srv, settings{url: srv.URL(), device: "boiler", token: "secret", delay: time.Second, dial: srv.DialContext})
	})
}

// TestEachReadingOnce cuts the connection at every seventh reading, before it is acknowledged.
func TestEachReadingOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *siotest.Server, s settings) {
		var got []float64
		newCollector(srv.Server, s.token, func(r record) {
			if got = append(got, r.Reading.Value); len(got)%7 == 0 {
				srv.CutAll()
			}
		})
		sensor := make(chan string)
		go func() {
			defer close(sensor)
			for i := range 100 {
				sensor <- strconv.Itoa(i)
			}
		}()
		if err := forward(t.Context(), s, sensor, silent); err != nil {
			t.Error(err)
		}
		var want []float64
		for i := range 100 {
			want = append(want, float64(i))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("readings (-want +got):\n%s", d)
		}
		if n := srv.Accepted(); n < 14 {
			t.Errorf("%d connections, want one for each cut at least", n)
		}
	})
}

// TestOrderDuringACut gives an order to a gateway that has no connection.
func TestOrderDuringACut(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *siotest.Server, s settings) {
		var got []record
		c := newCollector(srv.Server, s.token, func(r record) { got = append(got, r) })
		recovered := 0
		srv.OnConnect(func(s *sioserver.Socket) {
			if s.Recovered() {
				recovered++
			}
		})
		sensor, done := make(chan string), make(chan error)
		go func() { done <- forward(t.Context(), s, sensor, silent) }()
		sensor <- "20"
		synctest.Wait()
		srv.Refuse(true)
		srv.CutAll()
		synctest.Wait()
		if err := c.order("boiler 0.5"); err != nil {
			t.Error(err)
		}
		time.Sleep(30 * time.Second)
		srv.Refuse(false)
		time.Sleep(2 * time.Minute)
		sensor <- "21"
		close(sensor)
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := []record{{"boiler", reading{1, 20}}, {"boiler", reading{2, 21.5}}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("readings (-want +got):\n%s", d)
		}
		if recovered != 1 {
			t.Errorf("%d recoveries, want 1", recovered)
		}
	})
}

func TestRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *siotest.Server, s settings) {
		newCollector(srv.Server, s.token, func(record) {})
		s.token = "guessed"
		for waiting := range 2 { // readings
			sensor := make(chan string, 1)
			if waiting > 0 {
				sensor <- "20"
			}
			err := forward(t.Context(), s, sensor, silent)
			if e, ok := errors.AsType[*sioclient.ConnectionRefusedError](err); !ok || e.Message != "unknown device or wrong token" {
				t.Errorf("error = %v", err)
			}
		}
	})
}

func TestBadInput(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *siotest.Server, s settings) {
		c := newCollector(srv.Server, s.token, func(record) {})
		for _, line := range []string{"", "boiler", "boiler warm"} {
			if err := c.order(line); err == nil {
				t.Errorf("no error for the order %q", line)
			}
		}
		if err := forward(t.Context(), s, lines(t.Context(), strings.NewReader("warm\n")), silent); err == nil {
			t.Error("no error for a reading that is none")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := forward(ctx, s, nil, silent); err != nil {
			t.Errorf("the end of the context is no error: %v", err)
		}
	})
}

// TestServe: the collector ends with its context.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- serve(ctx, settings{listen: "127.0.0.1:0"}, nil, silent) }()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
