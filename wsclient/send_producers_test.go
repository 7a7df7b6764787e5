package wsclient_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestManyProducers_QU23(t *testing.T) {
	t.Parallel()
	const producers = 16
	each := size(1500, 300, 100_000)
	next, total, wrong := make([]int, producers), 0, 0
	done := make(chan struct{})
	srv, err := wstest.Start(&wstest.Options{Handler: func(c *wsconn.Conn) {
		var buf []byte
		for {
			_, data, err := c.Read(buf)
			if err != nil {
				return
			}
			buf = data
			p, i := int(data[0]), 0
			for _, d := range data[1:] {
				i = i*10 + int(d-'0')
			}
			if i != next[p] {
				wrong++
			}
			next[p]++
			if total++; total == producers*each {
				close(done)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	m := connectTo(t, srv.URL(), wsclient.Options{Send: wsclient.SendOptions{
		Mode: wsclient.SendQueued, Overflow: wsclient.Block,
	}})
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				data := strconv.AppendInt([]byte{byte(p)}, int64(i), 10)
				if err := m.Send(context.Background(), wsclient.Binary, data); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	<-done
	if err := m.Shutdown(t.Context()); err != nil { // what was written is counted by then
		t.Error(err)
	}
	if wrong > 0 {
		t.Errorf("%d messages out of order", wrong)
	}
	if s := m.Stats(); s.MessagesSent != uint64(producers*each) || s.OutboundDepth != 0 {
		t.Errorf("%+v", s)
	}
}
