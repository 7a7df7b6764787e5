package sioserver_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// TestSocketsAreLetGo: nothing of a socket stays in memory when it has ended, although the times of its connection, for
// the first namespace and for the heartbeat, have not come. Another one, whose times come earlier, keeps the runtime from
// looking at the timers.
func TestSocketsAreLetGo(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"websocket": func(t *testing.T) {
			letGo(t, func(b *bench) {
				p := b.dial()
				p.join("/")
				p.send(`42["hello"]`)
				check(t, nil, p.conn.Close(1000, ""))
			})
		},
		"websocket, by the server": func(t *testing.T) {
			letGo(t, func(b *bench) {
				p := b.dial()
				b.Socket(p.join("/")).Disconnect(true)
				p.want("41", "closed")
			})
		},
		"polling": func(t *testing.T) {
			letGo(t, func(b *bench) {
				p, _ := b.poll("EIO=4")
				p.post("40")
				p.get()
				p.post(`42["hello"]`)
				p.post("1")
			})
		},
	})
}

// letGo lets in a client that stays and one that comes and goes.
func letGo(t *testing.T, comeAndGo func(b *bench)) {
	t.Helper()
	b := newBench(t, nil)
	seen := make(chan footprint, 2)
	b.OnConnect(func(s *sioserver.Socket) {
		s.Join("room")
		s.On("hello", func(*sioserver.Event) error { return s.Emit("hello") })
		seen <- footprintOf(s)
	})
	b.dial().join("/")
	stays := <-seen
	comeAndGo(b)
	left := <-seen
	synctest.Wait()
	check(t, 1, b.Stats().Connections)
	runtime.GC()
	if stays.socket.Value() == nil || stays.connection.Value() == nil {
		t.Error("a socket that lives was let go")
	}
	if left.socket.Value() != nil {
		t.Error("a socket that has ended is held")
	}
	if left.connection.Value() != nil {
		t.Error("the connection of a socket that has ended is held")
	}
}

// footprint is what a client has in memory.
type footprint struct {
	socket     weak.Pointer[sioserver.Socket]
	connection weak.Pointer[string] // a header, which is kept with the session below
}

func footprintOf(s *sioserver.Socket) footprint {
	return footprint{weak.Make(s), weak.Make(&s.Handshake().Header["User-Agent"][0])}
}
