package attack_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// maxLatency is how long an honest client may wait for an answer under attack, but for one time in a hundred.
const maxLatency = 250 * time.Millisecond

// TestLatency attacks a server on TCP and tells how long an honest client waits meanwhile. What is right depends on the
// machine, so that only the long version (-args -full) holds it against the limit.
func TestLatency(t *testing.T) {
	a := newTCPArena(t, options())
	attacks := map[string]attack{}
	for _, name := range []string{"20,000 CONNECTs to unknown namespaces", "JSON 100,000 deep", "200,000 arguments"} {
		attacks[name] = badInput[name]
	}
	if *full {
		for _, name := range []string{"huge numbers", "wrong session ids", "foreign origins", "wrong requests", "wrong content types"} {
			attacks[name] = badInput[name]
		}
		for name, strike := range advisories {
			if !strings.HasPrefix(name, "CVE-2016-10518") { // it waits for the end of a bubble
				attacks[name] = strike
			}
		}
	}
	honest, ctx := a.client(), t.Context()
	stop, measured := make(chan bool), make(chan []time.Duration, 1)
	go func() {
		var took []time.Duration
		defer func() { measured <- took }()
		ticks := time.NewTicker(5 * time.Millisecond)
		defer ticks.Stop()
		for n := 0; ; n++ {
			begin := <-ticks.C
			if honest.Send(fmt.Sprintf(`42%d["echo"]`, n)) != nil || !answered(ctx, honest.Receive, fmt.Sprintf("43%d[]", n)) {
				t.Errorf("the honest client was not answered")
				return
			}
			took = append(took, time.Since(begin))
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	rounds := 0
	for begin := time.Now(); rounds == 0 || *full && time.Since(begin) < time.Minute; rounds++ {
		for _, strike := range attacks {
			strike(a)
			a.dismiss()
		}
	}
	close(stop)
	took := <-measured
	if len(took) == 0 {
		t.Fatal("nothing was measured")
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	t.Logf("%d attacks, %d rounds, %d answers: p50 %v, p99 %v, longest %v",
		len(attacks), rounds, len(took), took[len(took)/2], p99, took[len(took)-1])
	if *full && p99 > maxLatency {
		t.Errorf("p99 %v is above %v", p99, maxLatency)
	}
}

// answered waits for an answer. Heartbeats come in between.
func answered(ctx context.Context, receive func(context.Context) (string, error), want string) bool {
	for {
		got, err := receive(ctx)
		if got != "2" {
			return err == nil && got == want
		}
	}
}
