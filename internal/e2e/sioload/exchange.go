package main

import (
	"bytes"
	"fmt"
	"strings"
)

// exchange is a request, ready to be written, and the messages that answer it.
type exchange struct {
	request []byte
	answers []answer
}

// answer is what a message of the server must look like. Some servers end their JSON with a line feed.
type answer struct {
	opcode byte
	start  string
	size   int
}

func (a *answer) check(m *message) error {
	if m.opcode != a.opcode || m.size < a.size || m.size > a.size+2 || !bytes.HasPrefix(m.start(), []byte(a.start)) {
		return fmt.Errorf("message of %d bytes, %q, instead of %d, %q", m.size, m.start(), a.size, a.start)
	}
	return nil
}

func text(size int) string { return strings.Repeat("x", size) }

// echoText is an event with a text that comes back.
func echoText(o *options) exchange {
	if o.protocol == "raw" {
		return same(opText, text(o.size))
	}
	return same(opText, `42["echo","`+text(o.size)+`"]`)
}

// same is a message that comes back as it is.
func same(opcode byte, payload string) exchange {
	return exchange{
		request: clientFrame(opcode, []byte(payload)),
		answers: []answer{{opcode, payload[:min(len(payload), 11)], len(payload)}},
	}
}

// acknowledged is an event whose acknowledgement has its text.
func acknowledged(o *options) exchange {
	if o.protocol == "raw" {
		return echoText(o)
	}
	ack := `437["` + text(o.size) + `"]`
	return exchange{
		request: clientFrame(opText, []byte(`427["ack","`+text(o.size)+`"]`)),
		answers: []answer{{opText, ack[:6], len(ack)}},
	}
}

// echoBinary is an event with bytes that come back.
func echoBinary(o *options) exchange {
	data := text(o.size)
	switch o.protocol {
	case "raw":
		return same(opBinary, data)
	case "eio3":
		data = "\x04" + data
	}
	head := `451-["bin",{"_placeholder":true,"num":0}]`
	a, b := same(opText, head), same(opBinary, data)
	return exchange{append(a.request, b.request...), append(a.answers, b.answers...)}
}

// toAll is an event that makes the server send one to everybody.
func toAll(o *options) exchange {
	if o.protocol == "raw" {
		return same(opText, text(o.size))
	}
	msg := `42["msg","` + text(o.size) + `"]`
	return exchange{
		request: clientFrame(opText, []byte(`42["bcast","`+text(o.size)+`"]`)),
		answers: []answer{{opText, msg[:11], len(msg)}},
	}
}
