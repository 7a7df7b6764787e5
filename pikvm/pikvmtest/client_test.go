package pikvmtest_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// message is one message that an event socket brought, and when, counted from the handshake.
type message struct {
	At     time.Duration
	Type   string // of a text; "binary" otherwise
	Event  any    // of a text
	Binary string
}

// listener is a client of the event socket that keeps all it gets.
type listener struct {
	t    *testing.T
	conn *wsconn.Conn
	done chan struct{}

	mu   sync.Mutex
	seen []message
	err  error // why reading ended
}

// dialSocket opens an event socket as admin, unless a header says who, and returns the error of the handshake.
func (k *kvm) dialSocket(query string, header http.Header) (*wsconn.Conn, error) {
	return k.dialPath("/api/ws"+query, header)
}

// dialPath is dialSocket for any socket of the device.
func (k *kvm) dialPath(path string, header http.Header) (*wsconn.Conn, error) {
	if header == nil {
		header = http.Header{"X-Kvmd-User": {"admin"}, "X-Kvmd-Passwd": {"admin"}}
	}
	return wsconn.Dial(k.t.Context(), strings.Replace(k.URL(), "http", "ws", 1)+path, &wsconn.DialOptions{
		DialContext: k.dial,
		Header:      header,
		TLSConfig:   &tls.Config{InsecureSkipVerify: true},
	})
}

// listen opens an event socket that does not count as a viewer, and reads it until the test ends.
func (k *kvm) listen(query string) *listener {
	k.t.Helper()
	return k.listenAt("/api/ws" + query)
}

// listenAt is listen for any socket of the device.
func (k *kvm) listenAt(path string) *listener {
	k.t.Helper()
	conn, err := k.dialPath(path, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	l := &listener{t: k.t, conn: conn, done: make(chan struct{})}
	begin := time.Now()
	go func() {
		defer close(l.done)
		for {
			typ, data, err := conn.Read(nil)
			l.mu.Lock()
			if err != nil {
				l.err = err
				l.mu.Unlock()
				return
			}
			l.seen = append(l.seen, parse(k.t, time.Since(begin), typ, data))
			l.mu.Unlock()
		}
	}()
	k.t.Cleanup(func() {
		_ = conn.CloseNow()
		<-l.done
	})
	return l
}

func parse(t *testing.T, at time.Duration, typ wsconn.MessageType, data []byte) message {
	if typ == wsconn.Binary {
		return message{At: at, Type: "binary", Binary: string(data)}
	}
	var m struct {
		Type  string `json:"event_type"`
		Event any
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Errorf("message %q: %v", data, err)
	}
	return message{At: at, Type: m.Type, Event: m.Event}
}

// take returns what came since the last call.
func (l *listener) take() []message {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen
	l.seen = nil
	return seen
}

// types returns the types of what came since the last call.
func (l *listener) types() []string {
	var types []string
	for _, m := range l.take() {
		types = append(types, m.Type)
	}
	return types
}

func (l *listener) send(typ wsconn.MessageType, data string) {
	l.t.Helper()
	if err := l.conn.Write(typ, []byte(data)); err != nil {
		l.t.Fatal(err)
	}
}

// closed returns the code of the close frame that ended the socket; 1006 if it ended without one.
func (l *listener) closed() int {
	l.t.Helper()
	select {
	case <-l.done:
	case <-l.t.Context().Done():
		l.t.Fatal("the socket is still open")
	}
	var closed *wsconn.ClosedError
	if errors.As(l.err, &closed) && closed.Remote {
		return closed.Code
	}
	return 1006
}
