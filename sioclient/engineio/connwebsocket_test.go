package engineio_test

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// TestWebSocketOnly: the open packet comes first, messages go both ways, and a close frame ends it all.
func TestWebSocketOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, p *scripted) {
		conn, s := p.dialWebSocket(nil, openWS)
		check(t, testSID, conn.ID())
		check(t, 4, conn.Protocol())
		check(t, engineio.WebSocket, conn.Transport())
		check(t, false, conn.Upgraded())
		check(t, int64(1_000_000), conn.MaxPayload())
		s.send("4hello", "4")
		p.witness.wait(t, "hello", "")
		if err := conn.Send(engineio.Text("a"), engineio.Binary([]byte{1}), engineio.Encoded([]byte("42[]"))); err != nil {
			t.Fatal(err)
		}
		s.want("4a", "binary \x01", "42[]")
		conn.Close(false)
		check(t, 1000, s.wantClose())
		conn.Wait()
		check(t, nil, p.witness.wantEnd(t, sioclient.ForcedClose))
	})
}
