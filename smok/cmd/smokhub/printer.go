package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// line is one JSON object.
type line map[string]any

// printer writes lines.
type printer struct {
	mu  sync.Mutex
	w   io.Writer
	err error // of the first write that failed
}

func (p *printer) print(l line) {
	text, err := json.Marshal(l)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && p.err == nil {
		_, err = p.w.Write(append(text, '\n'))
	}
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("output: %w", err)
	}
}

func (p *printer) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *printer) request(r smoktest.Request) {
	p.print(line{
		"event": "request", "number": r.Number, "time": r.Time.UTC().Format(time.RFC3339Nano), "device": r.Device,
		"method": r.Method, "path": r.Path, "status": r.Status, "effect": r.Effect, "body": r.JSON(),
	})
}

func (p *printer) confirm(device string, order uint64) {
	p.print(line{"event": "confirm", "device": device, "order": order})
}
