package engineio_test

import (
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// ears is a handler that holds nothing.
type ears struct{ closed chan engineio.Reason }

func (ears) HandleMessage(bool, []byte) {}

func (h ears) HandleClose(reason engineio.Reason, _ error) { h.closed <- reason }

// TestSessionsAreLetGo: nothing of a session stays in memory when it has ended, although the time of its heartbeat has
// not come. Another session, whose heartbeat is due earlier, keeps the runtime from looking at the timer.
func TestSessionsAreLetGo(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"websocket": func(t *testing.T) {
			letGo(t, func(b *rig) {
				c := b.dial("")
				read(c)
				write(t, c, "4hello")
				check(t, nil, c.Close(1000, ""))
			})
		},
		"websocket, cut": func(t *testing.T) {
			letGo(t, func(b *rig) {
				c := b.dial("")
				read(c)
				check(t, nil, c.CloseNow())
			})
		},
		"polling": func(t *testing.T) {
			letGo(t, func(b *rig) {
				sid := b.open("")
				check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4hello")))
				check(t, "200 ok", brief(b.do(http.MethodPost, sid, "1")))
			})
		},
		"upgraded": func(t *testing.T) {
			letGo(t, func(b *rig) {
				sid := b.open("")
				c := b.dial(sid)
				write(t, c, "2probe")
				check(t, "3probe", read(c))
				write(t, c, "5")
				synctest.Wait()
				check(t, nil, c.Close(1000, ""))
			})
		},
	})
}

// letGo begins a session that stays and one that comes and goes.
func letGo(t *testing.T, comeAndGo func(b *rig)) {
	t.Helper()
	var sessions []weak.Pointer[engineio.Session]
	h := ears{closed: make(chan engineio.Reason, 2)}
	opts := patient
	opts.OnSession = func(s *engineio.Session) engineio.Handler {
		sessions = append(sessions, weak.Make(s))
		return h
	}
	b := newRig(t, opts)
	b.open("")
	comeAndGo(b)
	<-h.closed
	synctest.Wait()
	runtime.GC()
	check(t, 2, len(sessions))
	if sessions[0].Value() == nil {
		t.Error("a session that lives was let go")
	}
	if sessions[1].Value() != nil {
		t.Error("a session that has ended is held")
	}
}

// TestConnectionsAreLetGo is the same for the client's end.
func TestConnectionsAreLetGo(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"websocket": func(t *testing.T, p *scripted) {
			stays, _ := p.dialWebSocket(nil, openWS)
			defer finish(stays)
			ended := func() weak.Pointer[engineio.Conn] {
				conn, s := p.dialWebSocket(nil, openWS)
				conn.Close(false)
				check(t, 1000, s.wantClose())
				conn.Wait()
				return weak.Make(conn)
			}()
			checkLetGo(t, ended)
		},
		"polling": func(t *testing.T, p *scripted) {
			stays, _ := p.dialPolling(nil, openData)
			defer finish(stays)
			ended := func() weak.Pointer[engineio.Conn] {
				conn, poll := p.dialPolling(nil, openData)
				conn.Close(false)
				post := p.next("POST polling")
				poll.answer(http.StatusOK, "6")
				post.answer(http.StatusOK, "ok")
				conn.Wait()
				return weak.Make(conn)
			}()
			checkLetGo(t, ended)
		},
	})
}

func checkLetGo(t *testing.T, ended weak.Pointer[engineio.Conn]) {
	t.Helper()
	synctest.Wait()
	runtime.GC()
	if ended.Value() != nil {
		t.Error("a connection that has ended is held")
	}
}
