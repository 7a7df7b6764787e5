package attack_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

// peerBugs are mistakes of the servers that are around in Go, and of the original. Each was observed.
var peerBugs = map[string]attack{
	"1 one packet ends the process": func(a *arena) {
		for _, packet := range []string{
			`459000000000000-["bin"]`, `450-["bin",{"_placeholder":true,"num":7}]`, `451-["bin",{"_placeholder":true,"num":7}]`,
			`451-["bin",{"_placeholder":true,"num":-7}]`, `469000000000000-1[]`, `451-`, `451`, `45-`, `4`,
		} {
			p := a.join()
			p.text(packet)
			p.binary("x")
			p.end()
			a.ask()
		}
	},
	"2 an upgrade loses what is on its way": func(a *arena) {
		const events = 1000
		target := a.polling("4")
		a.answered(a.post(target, "", "40"), "200", "ok")
		synctest.Wait()
		a.answered(a.get(target), "200", `"}`)
		a.answered(a.post(target, "", strings.Join(echoes(0, 500), "\x1e")), "200", "ok")
		p := a.dial()
		p.send(strings.Replace(upgradeHead, "/socket.io/?EIO=4&transport=websocket", strings.Replace(target, "polling", "websocket", 1), 1) + "\r\n")
		p.await(switching)
		p.text("2probe")
		p.await("3probe")
		a.answered(a.post(target, "", strings.Join(echoes(500, 700), "\x1e")), "200", "ok")
		synctest.Wait()
		got := answers(a.get(target))
		p.text("5")
		p.text(echoes(700, events)...)
		synctest.Wait()
		got = append(got, answers(p.pending())...)
		a.same(numbers(events), got)
	},
	"3 events out of order": func(a *arena) {
		const events = 2000
		p := a.join()
		p.text(echoes(0, events)...)
		synctest.Wait()
		a.same(numbers(events), answers(p.pending()))
	},
	"4 one slow client holds up the others": func(a *arena) {
		p := a.join()
		links := a.links.Links()
		links[len(links)-1].Stall(netem.Down)
		for i := range 200 {
			if err := a.server.Emit("n", i, strings.Repeat("x", 1000)); err != nil {
				a.Fatal(err)
			}
			a.receive(fmt.Sprintf(`42["n",%d,"x`, i))
		}
		p.text(`421["echo"]`)
	},
	"5 delivered once per room": func(a *arena) {
		s := a.server.Sockets()[0]
		s.Join("a", "b", "c")
		if err := errors.Join(a.server.Emit("all"), a.server.To("a", "b", "c", s.ID()).Emit("rooms")); err != nil {
			a.Error(err)
		}
		a.receive(`42["all"]`)
		a.receive(`42["rooms"]`)
		synctest.Wait()
		a.ask() // and gets nothing but the answer
	},
	"6 an argument of a wrong type disconnects": func(a *arena) {
		a.server.OnConnect(func(s *sioserver.Socket) {
			sioclient.On1(s, "number", func(int) { a.Error("called") })
		})
		p := a.join()
		p.text(`42["number","text"]`, `42["number",{"a":[]},1]`, `42["number",1e400]`, `42["a,b",1]`, `42["c,d]\"",2]`, `421["echo",1]`)
		p.await("431[1]")
	},
	"7 a refused namespace closes the connection": func(a *arena) {
		a.server.Of("/denied").Use(func(context.Context, *sioserver.Socket) error { return sioclient.Refuse("no", nil) })
		p := a.join()
		p.text("40/unknown,", "40/denied,", `421["echo",1]`)
		p.await(`44/unknown,{"message":"Invalid namespace"}`)
		synctest.Wait()
		for _, want := range []string{`44/denied,{"message":"no"}`, "431[1]"} {
			if !strings.Contains(p.pending(), want) {
				a.Errorf("got %q, want %q in it", p.pending(), want)
			}
		}
	},
	"8 acknowledgements that race for a number": func(a *arena) {
		const calls = 200
		peer, err := siotest.DialRaw(context.Background(), a.server.URL(), &siotest.RawOptions{DialContext: a.dialContext})
		if err != nil {
			a.Fatal(err)
		}
		defer peer.Cut()
		_ = peer.Send("40")
		synctest.Wait()
		var calling sync.WaitGroup
		var mu sync.Mutex
		got := map[string]bool{}
		for range calls {
			calling.Go(func() {
				args, err := a.server.Sockets()[1].Call(context.Background(), "q")
				mu.Lock()
				defer mu.Unlock()
				got[fmt.Sprint(string(args.JSON()), err)] = true
			})
		}
		synctest.Wait()
		for range calls + 2 {
			packet, err := peer.Receive(context.Background())
			if err != nil {
				a.Fatal(err)
			}
			if id, ok := strings.CutSuffix(packet, `["q"]`); ok {
				_ = peer.Send("43" + id[2:] + "[" + id[2:] + "]")
			}
		}
		calling.Wait()
		a.same(calls, len(got))
	},
	"9 nil and what cannot be encoded": func(a *arena) {
		s := a.server.Sockets()[0]
		if err := s.Emit("x", nil); err != nil {
			a.Error(err)
		}
		a.receive(`42["x",null]`)
		for _, value := range []any{func() {}, make(chan int), map[string]any{"a": []any{func() {}}}} {
			if err := s.Emit("x", value); !errors.Is(err, sioclient.ErrPacket) {
				a.Errorf("%T: got %v", value, err)
			}
			if err := a.server.Emit("x", value); !errors.Is(err, sioclient.ErrPacket) {
				a.Errorf("%T: got %v", value, err)
			}
		}
	},
	"10 no attachments leave the decoder waiting": func(a *arena) {
		for _, packet := range []string{`450-["m"]`, `460-1["m"]`} {
			p := a.join()
			p.text(packet, `421["echo"]`)
			if got := p.end(); strings.Contains(got, "431") {
				a.Errorf("%q was passed over", packet)
			}
		}
		p := a.join()
		p.text(`451-2["echo",{"_placeholder":true,"num":0}]`)
		p.binary("x")
		p.await("432[")
		p.text(`423["echo"]`)
		p.await("433[]")
	},
}

// TestAdvisoryPeerBugs are the ten mistakes.
func TestAdvisoryPeerBugs(t *testing.T) { run(t, peerBugs) }

// echoes are events that want their number back.
func echoes(from, to int) (packets []string) {
	for i := from; i < to; i++ {
		packets = append(packets, fmt.Sprintf(`42%d["echo",%d]`, i, i))
	}
	return packets
}

var acknowledgement = regexp.MustCompile(`43(\d+)\[(\d+)\]`)

// answers returns the numbers that came back.
func answers(raw string) (got []int) {
	for _, m := range acknowledgement.FindAllStringSubmatch(raw, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil || m[1] != m[2] {
			n = -1
		}
		got = append(got, n)
	}
	return got
}

func numbers(n int) []int {
	want := make([]int, n)
	for i := range want {
		want[i] = i
	}
	return want
}

func (a *arena) same(want, got any) {
	a.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		a.Errorf("-want +got:\n%s", diff)
	}
}
