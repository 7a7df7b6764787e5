package main

import (
	"context"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// watch prints events until the session ends. An event may repeat the state; only changes are news.
func watch(ctx context.Context, events *pikvm.Subscription, line *timeline) {
	var last pikvm.ATXLEDs
	known := false
	for {
		event, err := events.Next(ctx)
		if err != nil {
			return // the session was closed, or ctx is done: the job knows
		}
		switch event.Type {
		case pikvm.EventDisconnected:
			line.met("event", event.Err)
		case pikvm.EventConnected:
			line.say("event", "socket connected")
		case pikvm.EventATX:
			var atx pikvm.ATXState
			if err := atx.UnmarshalJSON(event.Data); err != nil {
				continue // the session's own decoding reports it
			}
			if !known || atx.LEDs.Power != last.Power {
				line.say("event", "power LED is %s", onOff(atx.LEDs.Power))
			}
			known, last = true, atx.LEDs
		}
	}
}

func onOff(lit bool) string {
	if lit {
		return "on"
	}
	return "off"
}
