package main

import (
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient"
)

// plan says what a station's manager is like.
type plan struct {
	name     string
	mode     wsclient.SendMode
	overflow wsclient.Overflow // of messages to be sent
	room     int               // for them
	spool    bool
	inbound  wsclient.Overflow // of messages that arrive
	taking   taking
}

// taking says who takes the messages that arrive.
type taking int

const (
	byLoop taking = iota
	byHandler
	byInlineHandler
)

// plans are the stations: every way of sending, with every policy for what arrives.
var plans = []plan{
	{name: "direct", mode: wsclient.SendDirect, inbound: wsclient.DropNewest},
	{name: "queued", mode: wsclient.SendQueued, overflow: wsclient.Block, room: 500, inbound: wsclient.DropOldest},
	{name: "queued, lossy", mode: wsclient.SendQueued, overflow: wsclient.DropOldest, room: 20, inbound: wsclient.Block},
	{name: "queued, spool", mode: wsclient.SendQueued, spool: true, taking: byHandler},
	{name: "acked", mode: wsclient.SendAtLeastOnce, overflow: wsclient.Block, room: 500, taking: byInlineHandler},
	{name: "acked, lossy", mode: wsclient.SendAtLeastOnce, overflow: wsclient.DropOldest, room: 20, inbound: wsclient.Fail},
	{name: "acked, spool", mode: wsclient.SendAtLeastOnce, spool: true, inbound: wsclient.DropNewest},
}

// acks reports whether messages are acknowledged.
func (p plan) acks() bool { return p.mode == wsclient.SendAtLeastOnce }

// options are quick to notice what the weather does.
func (p plan) options() *wsclient.Options {
	o := &wsclient.Options{
		Reconnect: wsclient.ReconnectOptions{
			MaxAttempts: wsclient.Unlimited,
			Backoff: retry.Backoff{
				Base: 10 * time.Millisecond, Cap: 200 * time.Millisecond, Floor: -1, StableAfter: 100 * time.Millisecond,
			},
		},
		Heartbeat: wsclient.HeartbeatOptions{PingInterval: 200 * time.Millisecond, PingTimeout: 300 * time.Millisecond},
		Receive:   wsclient.ReceiveOptions{MaxMessages: 100, Overflow: p.inbound},
		Send:      wsclient.SendOptions{Mode: p.mode, Overflow: p.overflow, MaxMessages: p.room},
	}
	o.Dial.HandshakeTimeout = 500 * time.Millisecond
	o.Conn.WriteTimeout = 500 * time.Millisecond
	o.Conn.CloseTimeout = 300 * time.Millisecond
	if p.acks() {
		o.Send.Ack = &wsclient.AckOptions{
			ID:         func(out wsclient.Outgoing) string { return strconv.FormatUint(number(out.Data), 10) },
			Cumulative: true,
			Timeout:    time.Second,
			OnTimeout:  wsclient.AckReconnect,
		}
	}
	return o
}
