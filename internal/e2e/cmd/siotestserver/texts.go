package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// jsDate is the form of dates in JSON that JavaScript makes.
const jsDate = "2006-01-02T15:04:05.000Z"

var utf8Texts = []string{
	"てすと",
	"Я Б Г Д Ж Й",
	"Ä ä Ü ü ß",
	"utf8 — string",
	"🍔🍟 \u2028 \U0001F468\u200D\U0001F4BB",
}

// onTexts adds what is done with events that carry JSON alone. Arguments that come back are passed on as they are.
func onTexts(s *sioserver.Socket) {
	s.On("message", func(e *sioserver.Event) error { return s.Emit("message-back", e.Args) })
	s.On("message-with-ack", func(e *sioserver.Event) error { return e.Ack(e.Args) })
	s.On("echo", func(e *sioserver.Event) error { return e.Ack(e.Args.Slice(0, min(1, e.Args.Len()))) })
	s.On("hi", func(*sioserver.Event) error { return s.Emit("hi") })
	s.On("false", func(*sioserver.Event) error { return s.Emit("false", false) })
	s.On("ack", func(*sioserver.Event) error { return askForAck(s) })
	s.On("getAckDate", func(e *sioserver.Event) error { return e.Ack(now()) })
	s.On("getDate", func(*sioserver.Event) error { return s.Emit("takeDate", now()) })
	s.On("getDateObj", func(*sioserver.Event) error {
		return s.Emit("takeDateObj", map[string]string{"date": now()})
	})
	s.On("getUtf8", func(*sioserver.Event) error {
		for _, text := range utf8Texts {
			if err := s.Emit("takeUtf8", text); err != nil {
				return err
			}
		}
		return nil
	})
	s.On("getHandshake", func(e *sioserver.Event) error { return e.Ack(s.Handshake()) })
	sioclient.Reply0(s, "getId", idOf(s))
}

func now() string { return time.Now().UTC().Format(jsDate) }

// askLimit is how long a client may take for its acknowledgement.
const askLimit = 10 * time.Second

// askForAck sends an event named ack, and tells the client when it has acknowledged it with (5, {"test":true}).
func askForAck(s *sioserver.Socket) error {
	args, err := s.Timeout(askLimit).Call(context.Background(), "ack")
	if err != nil {
		return err
	}
	var (
		number int
		object struct{ Test bool }
	)
	if err := args.DecodeAll(&number, &object); err != nil {
		return err
	}
	if number != 5 || !object.Test {
		return fmt.Errorf("acknowledged with %s", args.JSON())
	}
	return s.Emit("got it")
}
