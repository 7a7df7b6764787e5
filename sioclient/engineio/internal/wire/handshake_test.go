package wire_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
)

func TestHandshake(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		data string
		want wire.Handshake
	}{
		"of the reference": {
			`{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`,
			wire.Handshake{"lv_VI97HAXpY6yYWAAAC", []string{"websocket"}, 25 * time.Second, 20 * time.Second, 1_000_000},
		},
		"without a list of upgrades or a limit, other order, unknown members": {
			`{"new":{"a":[1]},"pingTimeout":1,"pingInterval":2,"sid":"a"}`,
			wire.Handshake{"a", nil, 2 * time.Millisecond, time.Millisecond, 0},
		},
		"null for a list, fractions": {
			`{"sid":"a","upgrades":null,"pingInterval":1.5,"pingTimeout":2e3}`,
			wire.Handshake{"a", nil, 1500 * time.Microsecond, 2 * time.Second, 0},
		},
		"times beyond those of a timer": {
			`{"sid":"a","upgrades":[],"pingInterval":1e300,"pingTimeout":2147483648,"maxPayload":1e300}`,
			wire.Handshake{"a", []string{}, 2147483647 * time.Millisecond, 2147483647 * time.Millisecond, 1 << 53},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := wire.ParseHandshake([]byte(row.data))
			if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
		})
	}
}

func TestHandshakeRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ data, detail string }{
		"no JSON":              {`{"sid":`, "open packet"},
		"nothing":              {``, "open packet"},
		"an array":             {`[]`, "open packet"},
		"null":                 {`null`, "open packet without sid"},
		"no sid":               {`{"pingInterval":1,"pingTimeout":1}`, "open packet without sid"},
		"empty sid":            {`{"sid":"","pingInterval":1,"pingTimeout":1}`, "open packet without sid"},
		"sid a number":         {`{"sid":1,"pingInterval":1,"pingTimeout":1}`, "open packet"},
		"no interval":          {`{"sid":"a","pingTimeout":1}`, "open packet without pingInterval"},
		"negative interval":    {`{"sid":"a","pingInterval":-1,"pingTimeout":1}`, "open packet without pingInterval"},
		"interval of nothing":  {`{"sid":"a","pingInterval":0,"pingTimeout":1}`, "open packet without pingInterval"},
		"interval a string":    {`{"sid":"a","pingInterval":"1","pingTimeout":1}`, "open packet"},
		"no timeout":           {`{"sid":"a","pingInterval":1}`, "open packet without pingTimeout"},
		"negative timeout":     {`{"sid":"a","pingInterval":1,"pingTimeout":-1}`, "open packet without pingTimeout"},
		"negative limit":       {`{"sid":"a","pingInterval":1,"pingTimeout":1,"maxPayload":-1}`, "open packet with a negative maxPayload"},
		"upgrades of numbers":  {`{"sid":"a","upgrades":[1],"pingInterval":1,"pingTimeout":1}`, "open packet"},
		"text behind the JSON": {`{"sid":"a","pingInterval":1,"pingTimeout":1}x`, "open packet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := wire.ParseHandshake([]byte(row.data))
			checkRefused(t, row.detail, err)
		})
	}
}

// TestHandshakeAppend: the members in the order of the reference, and a list also when there is nothing to list.
func TestHandshakeAppend(t *testing.T) {
	t.Parallel()
	for want, h := range map[string]wire.Handshake{
		`{"sid":"a-_9","upgrades":["websocket","x"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`: {
			"a-_9", []string{"websocket", "x"}, 25 * time.Second, 20 * time.Second, 1_000_000,
		},
		`{"sid":"q\"é","upgrades":[],"pingInterval":300,"pingTimeout":200}`: {
			"q\"é", nil, 300 * time.Millisecond, 200 * time.Millisecond, 0,
		},
	} {
		if diff := cmp.Diff(want, string(wire.AppendHandshake(nil, h))); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
