package wsclient_test

import (
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

func TestSendOptionsAreChecked(t *testing.T) {
	t.Parallel()
	s := openSpool(t, t.TempDir(), nil)
	const queued, acked = wsclient.SendQueued, wsclient.SendAtLeastOnce
	with := func(change func(*wsclient.AckOptions)) *wsclient.AckOptions {
		o := numbered()
		change(o)
		return o
	}
	for _, tc := range []struct {
		field string
		o     wsclient.SendOptions
	}{
		{"Mode", wsclient.SendOptions{Mode: 3}},
		{"Mode", wsclient.SendOptions{Mode: -1}},
		{"MaxMessages", wsclient.SendOptions{Mode: queued, MaxMessages: -2}},
		{"MaxBytes", wsclient.SendOptions{Mode: queued, MaxBytes: -1}},
		{"MaxMessage", wsclient.SendOptions{MaxMessage: -1}},
		{"TTL", wsclient.SendOptions{Mode: queued, TTL: -time.Second}},
		{"Overflow", wsclient.SendOptions{Mode: queued, Overflow: 99}},
		{"SpoolFailure", wsclient.SendOptions{Mode: queued, Spool: s, SpoolFailure: 2}},
		{"SpoolFailure", wsclient.SendOptions{Mode: queued, SpoolFailure: wsclient.SpoolFallback}},
		{"Overflow", wsclient.SendOptions{Overflow: wsclient.DropOldest}},
		{"TTL", wsclient.SendOptions{TTL: time.Second}},
		{"Spool", wsclient.SendOptions{Spool: s}},
		{"Ack", wsclient.SendOptions{Mode: acked}},
		{"Ack", wsclient.SendOptions{Mode: queued, Ack: numbered()}},
		{"Ack.ID", wsclient.SendOptions{Mode: acked, Spool: s, Ack: with(func(o *wsclient.AckOptions) { o.Wrap = nil })}},
		{"Ack.Extract", wsclient.SendOptions{Mode: acked, Ack: with(func(o *wsclient.AckOptions) { o.Extract = nil })}},
		{"Ack.Window", wsclient.SendOptions{Mode: acked, Ack: with(func(o *wsclient.AckOptions) { o.Window = -1 })}},
		{"Ack.OnTimeout", wsclient.SendOptions{Mode: acked, Ack: with(func(o *wsclient.AckOptions) { o.OnTimeout = 2 })}},
	} {
		t.Run(tc.field, func(t *testing.T) {
			t.Parallel()
			_, err := wsclient.New("ws://feed.example", &wsclient.Options{Send: tc.o})
			if e := want[*wsclient.ConfigError](t, err); e.Field != "Send."+tc.field {
				t.Errorf("field %q", e.Field)
			}
		})
	}
}
