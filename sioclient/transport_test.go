package sioclient_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func TestTransport(t *testing.T) {
	withServer(t, nil, func(t *testing.T, _ *sioserver.Server, w *world) {
		upgraded := make(chan struct{})
		m := w.manager(&sioclient.Options{
			Engine: engineio.DialOptions{Transports: []string{engineio.Polling, engineio.WebSocket}},
			Hooks:  sioclient.Hooks{OnUpgrade: func() { close(upgraded) }},
		})
		got := []string{m.Transport()}
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-upgraded
		got = append(got, m.Transport())
		_ = m.Close()
		got = append(got, m.Transport())
		if d := cmp.Diff([]string{"", engineio.WebSocket, ""}, got); d != "" {
			t.Errorf("transports (-want +got):\n%s", d)
		}
	})
}
