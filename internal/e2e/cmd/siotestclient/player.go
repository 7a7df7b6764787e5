package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
)

const (
	// defaultLimit is how long is waited if a command does not say.
	defaultLimit = 5 * time.Second

	// maxLine bounds a line of the script.
	maxLine = 16 << 20
)

// command is a line of the script.
type command struct {
	Do        string            `json:"do"`
	Event     string            `json:"event"`
	Args      []json.RawMessage `json:"args"`
	Ack       []json.RawMessage `json:"ack"`
	TimeoutMS *int64            `json:"timeout_ms"`
	MS        int64             `json:"ms"`
}

func (c *command) limit() time.Duration {
	if c.TimeoutMS == nil {
		return defaultLimit
	}
	return time.Duration(*c.TimeoutMS) * time.Millisecond
}

// player does what a script says.
type player struct {
	manager *sioclient.Manager
	socket  *sioclient.Socket
	network *network
	journal *journal
	arrived *arrivals
}

func newPlayer(set *settings, out io.Writer) (*player, error) {
	p := &player{network: newNetwork(), journal: newJournal(out), arrived: newArrivals()}
	o := set.options
	o.Engine.DialContext = p.network.dial
	o.Hooks = sioclient.Hooks{
		OnReconnectAttempt: func(n int) { p.journal.write("reconnect_attempt", "attempt", n) },
		OnReconnect:        func(n int) { p.journal.write("reconnect", "attempt", n) },
		OnUpgrade:          func() { p.journal.write("upgrade") },
	}
	o.Socket.InboxMessages = -1
	var err error
	if p.manager, err = sioclient.NewManager(set.url, &o); err != nil {
		return nil, err
	}
	if p.socket, err = p.manager.Socket(set.namespace, nil); err != nil {
		p.close()
		return nil, err
	}
	p.listen()
	return p, nil
}

// listen writes down what happens on the socket.
func (p *player) listen() {
	p.socket.OnConnect(func() {
		p.journal.write("connect", "id", p.socket.ID(), "recovered", p.socket.Recovered())
		p.arrived.add("connect", nil)
	})
	p.socket.OnConnectError(func(err error) {
		p.journal.fail("connect_error", err)
		p.arrived.add("connect_error", nil)
	})
	p.socket.OnDisconnect(func(reason sioclient.Reason, err error) {
		p.journal.fail("disconnect", err, "reason", reason)
		p.arrived.add("disconnect", nil)
	})
	p.socket.OnError(func(err error) { p.journal.fail("error", err) })
	p.socket.OnAny(func(e *sioclient.Event) error {
		args, err := written(e.Args)
		if err != nil {
			return err
		}
		p.journal.write("event", "event", e.Name, "args", args)
		p.arrived.add(e.Name, e)
		return nil
	})
}

// close ends everything. It cannot fail.
func (p *player) close() { _ = p.manager.Close() }

// play runs the commands and reports whether one failed. The error is one of the script.
func (p *player) play(ctx context.Context, script io.Reader) (failed bool, err error) {
	lines := bufio.NewScanner(script)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan() && ctx.Err() == nil; n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var c command
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&c); err != nil {
			return failed, fmt.Errorf("line %d: %w", n, err)
		}
		do := commands[c.Do]
		if do == nil {
			return failed, fmt.Errorf("line %d: unknown command %q", n, c.Do)
		}
		if err := do(p, ctx, &c); err != nil {
			failed = true
			p.journal.fail("error", err, "do", c.Do, "event", c.Event)
		}
	}
	return failed || ctx.Err() != nil, lines.Err()
}

var commands = map[string]func(*player, context.Context, *command) error{
	"connect":    (*player).connect,
	"disconnect": (*player).disconnect,
	"emit":       (*player).emit,
	"call":       (*player).call,
	"expect":     (*player).expect,
	"break":      (*player).cut,
	"sleep":      (*player).sleep,
}

// connect leaves it to expectations whether there has to be a connection.
func (p *player) connect(ctx context.Context, c *command) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit())
	defer cancel()
	_ = p.socket.Connect(ctx) // OnConnectError gets it too
	return nil
}

func (p *player) disconnect(context.Context, *command) error { return p.socket.Disconnect() }

func (p *player) emit(_ context.Context, c *command) error {
	args, err := values(c.Args)
	if err != nil {
		return err
	}
	return p.socket.Emit(c.Event, args...)
}

func (p *player) call(ctx context.Context, c *command) error {
	args, err := values(c.Args)
	if err != nil {
		return err
	}
	answer, err := p.socket.Timeout(c.limit()).Call(ctx, c.Event, args...)
	if err != nil {
		return err
	}
	text, err := written(answer)
	if err != nil {
		return err
	}
	p.journal.write("ack", "event", c.Event, "args", text)
	return nil
}

func (p *player) expect(ctx context.Context, c *command) error {
	e, ok := p.arrived.take(ctx, c.Event, c.limit())
	if !ok {
		return &sioclient.TimeoutError{
			Info:  errkit.Info{Class: sioclient.ErrTimeout, Op: "expect"},
			Event: c.Event, Limit: c.limit(),
		}
	}
	if c.Ack == nil || e == nil {
		return nil
	}
	args, err := values(c.Ack)
	if err != nil {
		return err
	}
	return e.Ack(args...)
}

func (p *player) cut(context.Context, *command) error {
	p.network.cut()
	return nil
}

func (p *player) sleep(ctx context.Context, c *command) error {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(c.MS) * time.Millisecond):
	}
	return nil
}
