package main

import (
	"context"
	"encoding/binary"
	"errors"
	"os"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// managerLibrary is a Manager with one way to send. Messages are received with the iterator, and belong to the receiver.
type managerLibrary struct {
	label string
	send  wsclient.SendOptions
	// numbered has the number of a message take the place of its first bytes, so that messages are as long as those of
	// others.
	numbered bool
	// spooled puts the queue on the disk.
	spooled bool
}

var (
	direct = managerLibrary{label: "manager"}
	queued = managerLibrary{label: "manager", send: wsclient.SendOptions{
		Mode: wsclient.SendQueued, Overflow: wsclient.Block,
	}}
	acked = managerLibrary{label: "acked", numbered: true, send: wsclient.SendOptions{
		Mode: wsclient.SendAtLeastOnce, Overflow: wsclient.Block,
		Ack: &wsclient.AckOptions{
			Cumulative: true, Window: 256,
			Wrap: func(dst []byte, number uint64, o wsclient.Outgoing) []byte {
				return append(binary.BigEndian.AppendUint64(dst, number), o.Data...)
			},
			Extract: func(m wsclient.Message) (wsclient.Ack, bool) {
				return wsclient.Ack{IDs: []string{string(m.Data)}}, true
			},
		},
	}}
	spooled = managerLibrary{label: "spooled", spooled: true, send: queued.send}
)

// as returns the library under another name, to be compared with itself.
func (l managerLibrary) as(label string) managerLibrary {
	l.label = label
	return l
}

func (l managerLibrary) name() string { return l.label }

func (l managerLibrary) dial(url string) (conn, error) {
	return l.connect(url, &wsclient.Options{Receive: wsclient.ReceiveOptions{Overflow: wsclient.Block}})
}

// connect makes a connected manager, with the options of the library for sending.
func (l managerLibrary) connect(url string, opts *wsclient.Options) (*managerConn, error) {
	c := &managerConn{}
	opts.Send = l.send
	if l.numbered {
		c.head = numberSize
	}
	if l.spooled {
		s, err := c.openSpool()
		if err != nil {
			return nil, err
		}
		opts.Send.Spool = s
	}
	m, err := wsclient.New(url, opts)
	if err == nil {
		c.m = m
		err = m.Connect(context.Background())
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// numberSize is the length of a number in a message.
const numberSize = 8

type managerConn struct {
	m     *wsclient.Manager
	head  int // bytes of a message that the manager adds
	spool *spool.Spool
	dir   string
}

func (c *managerConn) openSpool() (*spool.Spool, error) {
	var err error
	if c.dir, err = os.MkdirTemp("", "benchpeers-"); err != nil {
		return nil, err
	}
	c.spool, err = spool.Open(c.dir, &spool.Options{Sync: spool.SyncEvery, MaxBytes: 1 << 30})
	if err != nil {
		c.close()
	}
	return c.spool, err
}

func (c *managerConn) send(batch [][]byte) error {
	for _, p := range batch {
		if err := c.m.Send(context.Background(), wsclient.Binary, p[c.head:]); err != nil {
			return err
		}
	}
	return nil
}

func (c *managerConn) receive(n int) (total int64, err error) {
	for m, err := range c.m.Messages(context.Background()) {
		if err != nil {
			return total, err
		}
		total += int64(len(m.Data))
		if n--; n == 0 {
			return total, nil
		}
	}
	return total, errors.New("manager: closed")
}

func (c *managerConn) echo(p []byte) error {
	if err := c.m.Send(context.Background(), wsclient.Binary, p); err != nil {
		return err
	}
	_, err := c.m.Receive(context.Background())
	return err
}

func (c *managerConn) close() {
	if c.m != nil {
		c.m.Kill() // the peers answer no close frames
		_ = c.m.Close()
	}
	if c.spool != nil {
		_ = c.spool.Close()
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}

// inlineLibrary is a Manager with a handler on the goroutine that reads, which gets messages without a copy.
type inlineLibrary struct{}

func (inlineLibrary) name() string { return "manager" }

func (inlineLibrary) dial(url string) (conn, error) {
	c := &inlineConn{begin: make(chan int), enough: make(chan int64, 1)}
	var err error
	c.managerConn, err = direct.connect(url, &wsclient.Options{Receive: wsclient.ReceiveOptions{InlineHandler: c.handle}})
	return c, err
}

type inlineConn struct {
	*managerConn
	begin  chan int   // how many messages receive wants
	enough chan int64 // their length

	left  int // messages to come; the handler's own
	total int64
}

func (c *inlineConn) handle(m wsclient.Message) {
	if c.left == 0 {
		c.left, c.total = <-c.begin, 0
	}
	c.total += int64(len(m.Data))
	if c.left--; c.left == 0 {
		c.enough <- c.total
	}
}

func (c *inlineConn) receive(n int) (int64, error) {
	c.begin <- n
	select {
	case total := <-c.enough:
		return total, nil
	case <-c.m.Done():
		return 0, c.m.Err()
	}
}
