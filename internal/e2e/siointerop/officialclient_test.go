//go:build interop

package siointerop_test

import (
	"strings"
	"testing"
)

// ways are the transports that a client may be told to use.
var ways = [][]string{{"websocket"}, {"polling"}, {"polling", "websocket"}}

// TestOfficialClient lets socket.io-client be served by this repository's server.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int{"4.8": 4, "2.5": 2} {
		for _, transports := range ways {
			t.Run(name+" by "+strings.Join(transports, " and "), func(t *testing.T) {
				t.Parallel()
				url := testServer(t, "-eio3")
				runChecks(t, map[string]any{"url": url, "version": version, "transports": transports}, "node", "node/client.js")
			})
		}
	}
	t.Run("4.8 with msgpack", func(t *testing.T) {
		t.Parallel()
		url := testServer(t, "-parser", "msgpack")
		settings := map[string]any{"url": url, "version": 4, "transports": ways[2], "parser": "msgpack"}
		runChecks(t, settings, "node", "node/client.js")
	})
}
