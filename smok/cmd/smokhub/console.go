package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// console obeys commands.
type console struct {
	hub *smoktest.Hub
	out *printer
}

// obey runs one command and prints what it answers.
func (c *console) obey(command string) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(command), " ")
	answer, err := c.run(verb, strings.TrimSpace(rest))
	if err != nil {
		answer = line{"event": "error", "command": verb, "text": err.Error()}
	}
	c.out.print(answer)
}

func (c *console) run(verb, rest string) (line, error) {
	first, second, _ := strings.Cut(rest, " ")
	switch verb {
	case "order":
		body, err := minijson.FromJSON([]byte(second))
		if err != nil {
			return nil, fmt.Errorf("sections: %w", err)
		}
		return line{"event": "queued", "device": first, "order": c.hub.Device(first).EnqueueRaw(body)}, nil
	case "samples":
		return line{"event": "samples", "device": first, "samples": samples(c.hub.Device(first).Samples(second))}, nil
	case "counts":
		return line{"event": "counts", "device": first, "counts": c.hub.Device(first).Counts()}, nil
	case "lose":
		times, err := strconv.Atoi(first)
		if err != nil || times < 1 {
			return nil, fmt.Errorf("%q is not a number of times", first)
		}
		c.hub.Inject(smoktest.Fault{Kind: smoktest.FaultReset, AfterEffect: true, Path: second, Times: times})
		return line{"event": "losing"}, nil
	case "down":
		c.hub.Down(smoktest.Both)
		return line{"event": "down"}, nil
	case "up":
		return line{"event": "up"}, c.hub.Up(smoktest.Both)
	case "restart":
		d, err := time.ParseDuration(first)
		if err != nil {
			return nil, err
		}
		return line{"event": "up"}, c.hub.Restart(d)
	}
	return nil, fmt.Errorf("no such command")
}

func samples(all []smoktest.Sample) []line {
	out := make([]line, 0, len(all))
	for _, s := range all {
		l := line{"path": s.Path, "time": s.Time.Format(time.RFC3339Nano), "value": s.Value}
		if s.Reason != "" {
			delete(l, "value")
			l["reason"] = s.Reason
		}
		out = append(out, l)
	}
	return out
}
