package main

import (
	"fmt"

	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

var sample = []byte("asdfasdf")

// onBytes adds what is done with events that carry binary data.
func onBytes(s *sioserver.Socket) {
	s.On("doge", func(*sioserver.Event) error { return s.Emit("doge", sample) })
	s.On("getbin", func(*sioserver.Event) error { return s.Emit("takebin", sample) })
	for name, answer := range map[string]string{"buffa": "buffack", "blob": "back"} {
		s.On(name, func(e *sioserver.Event) error {
			if err := wantBytes(e); err != nil {
				return err
			}
			return s.Emit(answer)
		})
	}
	for name, answer := range map[string]string{"jsonbuff": "jsonbuff-ack", "jsonblob": "jsonblob-ack"} {
		s.On(name, func(e *sioserver.Event) error {
			if err := wantMixed(e); err != nil {
				return err
			}
			return s.Emit(answer)
		})
	}
	inOrder(s, "abuff2-ack", "abuff1", "abuff2")
	inOrder(s, "blob3-ack", "blob1", "blob2", "blob3")
}

// inOrder answers when binary events of all names have come in that order.
func inOrder(s *sioserver.Socket, answer string, names ...string) {
	next := 0 // handlers of a socket run one at a time
	for i, name := range names {
		s.On(name, func(e *sioserver.Event) error {
			if err := wantBytes(e); err != nil {
				return err
			}
			if i != next {
				return fmt.Errorf("%s came, %s was next", name, names[next])
			}
			if next++; next < len(names) {
				return nil
			}
			next = 0
			return s.Emit(answer)
		})
	}
}

func wantBytes(e *sioserver.Event) error {
	if _, ok := e.Args.Bytes(0); !ok {
		return fmt.Errorf("%s without binary data: %s", e.Name, e.Args.JSON())
	}
	return nil
}

// wantMixed wants an object of text and binary data.
func wantMixed(e *sioserver.Event) error {
	var mixed map[string]any
	if err := e.Decode(&mixed); err != nil {
		return err
	}
	_, hello := mixed["hello"].(string)
	_, message := mixed["message"].([]byte)
	_, goodbye := mixed["goodbye"].(string)
	if !hello || !message || !goodbye {
		return fmt.Errorf("%s without text and binary data: %s", e.Name, e.Args.JSON())
	}
	return nil
}
