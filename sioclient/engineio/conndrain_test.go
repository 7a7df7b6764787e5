package engineio_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// drained is a handler that sends again once there is room.
type drained struct {
	*witness
	conn  *engineio.Conn
	again []engineio.Message
	calls int
}

func (d *drained) HandleDrain() {
	d.calls++
	for len(d.again) > 0 && d.conn.Send(d.again[0]) == nil {
		d.again = d.again[1:]
	}
}

// dialDrained opens a connection by polling whose queue takes that many messages.
func dialDrained(t *testing.T, p *scripted, room int) *drained {
	t.Helper()
	d := &drained{witness: p.witness}
	opts := p.options(&engineio.DialOptions{
		DisableUpgrade: true, Queue: engineio.QueueLimits{Messages: room},
		OnOpen: func(c *engineio.Conn) { d.conn = c },
	})
	opened := make(chan error, 1)
	go func() {
		_, err := engineio.Dial(t.Context(), "http://peer.test/", opts, d)
		opened <- err
	}()
	p.next("GET polling").answer(http.StatusOK, openData)
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	p.next("GET polling")
	return d
}

// TestHandlerIsToldOfRoom: after a message that was refused, as soon as there is room; not without one, nor at the end.
func TestHandlerIsToldOfRoom(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"polling": func(t *testing.T, p *scripted) {
			d := dialDrained(t, p, 2)
			for _, text := range []string{"a", "b"} {
				if err := d.conn.Send(engineio.Text(text)); err != nil {
					t.Fatal(err)
				}
			}
			post := p.nextPost()
			for _, text := range []string{"c", "d", "e"} {
				if err := d.conn.Send(engineio.Text(text)); errors.Is(err, sioclient.ErrBufferFull) {
					d.again = append(d.again, engineio.Text(text))
				}
			}
			synctest.Wait()
			check(t, 0, d.calls)
			post.answer(http.StatusOK, "ok")
			for messages, _ := d.conn.Buffered(); messages > 0; messages, _ = d.conn.Buffered() {
				p.nextPost().answer(http.StatusOK, "ok")
				synctest.Wait()
			}
			check(t, 0, len(d.again))
			calls := d.calls
			if err := d.conn.Send(engineio.Text("f")); err != nil { // refuses nothing
				t.Fatal(err)
			}
			p.nextPost().answer(http.StatusOK, "ok")
			synctest.Wait()
			check(t, calls, d.calls)
			finish(d.conn)
			check(t, calls, d.calls)
		},
		"a connection that ends": func(t *testing.T, p *scripted) {
			d := dialDrained(t, p, 1)
			if err := errors.Join(d.conn.Send(engineio.Text("a")), d.conn.Send(engineio.Text("b"))); !errors.Is(err, sioclient.ErrBufferFull) {
				t.Fatalf("got %v, want ErrBufferFull", err)
			}
			p.nextPost().answer(http.StatusBadRequest, "{}")
			d.conn.Wait()
			check(t, 0, d.calls)
		},
	})
}
