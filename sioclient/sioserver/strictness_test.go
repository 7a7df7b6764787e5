package sioserver_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// TestStrictness sends each packet that a strict server has an opinion on, after the main namespace was joined.
func TestStrictness(t *testing.T) {
	t.Parallel()
	const closed, open = "closed", ""
	for name, test := range map[string]struct {
		send  []string
		want  string   // of the connection
		event []string // what listeners get, "name args"
	}{
		"unknown type":                     {send: []string{"4abc"}, want: closed},
		"empty packet":                     {send: []string{"4"}, want: closed},
		"space as a type":                  {send: []string{"4 "}, want: closed},
		"joined namespace again":           {send: []string{"40"}, want: closed},
		"event without payload":            {send: []string{"42"}, want: closed},
		"event with an empty array":        {send: []string{"42[]"}, want: closed},
		"event with an object":             {send: []string{"42{}"}, want: closed},
		"event named null":                 {send: []string{"42[null]"}, want: closed},
		"bad JSON":                         {send: []string{`42["a"`}, want: closed},
		"bad JSON in an argument":          {send: []string{`42["a",{"b":}]`}, want: closed},
		"numeric name":                     {send: []string{"42[1]"}, event: []string{"1 []"}},
		"reserved name connect":            {send: []string{`42["connect"]`}, want: closed},
		"reserved name connect_error":      {send: []string{`42["connect_error"]`}, want: closed},
		"reserved name disconnect":         {send: []string{`42["disconnect"]`}, want: closed},
		"reserved name disconnecting":      {send: []string{`42["disconnecting"]`}, want: closed},
		"reserved name newListener":        {send: []string{`42["newListener"]`}, want: closed},
		"reserved name removeListener":     {send: []string{`42["removeListener"]`}, want: closed},
		"names connection and error":       {send: []string{`42["connection"]`, `42["error"]`}, event: []string{"connection []", "error []"}},
		"acknowledgement without id":       {send: []string{"43[]"}},
		"acknowledgement without anything": {send: []string{"43"}},
		"acknowledgement of nothing":       {send: []string{"437[]"}},
		"CONNECT_ERROR":                    {send: []string{"44{}"}, want: closed},
		"DISCONNECT with payload":          {send: []string{"41{}"}, want: closed},
		"auth is an array":                 {send: []string{"40/custom,[]"}, want: closed},
		"auth is a string":                 {send: []string{`40/custom,"s"`}, want: closed},
		"junk after the id":                {send: []string{`421x["a"]`}, want: closed},
		"id beyond 64 bits":                {send: []string{`4299999999999999999999["message"]`}, want: closed},
		"largest id":                       {send: []string{`4218446744073709551615["echo"]`}, want: `4318446744073709551615[]`, event: []string{"echo []"}},
		"space as an id":                   {send: []string{`42 ["m"]`}, want: closed},
		"main namespace by name":           {send: []string{`42/,["m"]`}, event: []string{"m []"}},
		"trailing space":                   {send: []string{`42["m"] `}, event: []string{"m []"}},
		"namespace that was not joined":    {send: []string{`42/foo,["a"]`}, want: closed},
		"no attachments announced":         {send: []string{`450-["m"]`}, want: closed},
		"eleven attachments":               {send: []string{`4511-["m"]`}, want: closed},
		"number of no attachment":          {send: []string{`451-["m",{"_placeholder":true,"num":1}]`, "binary x"}, want: closed},
		"negative number":                  {send: []string{`451-["m",{"_placeholder":true,"num":-1}]`, "binary x"}, want: closed},
		"stray binary":                     {send: []string{"binary x"}, want: closed},
		"text instead of an attachment":    {send: []string{`451-["m",{"_placeholder":true,"num":0}]`, `42["a"]`}, want: closed},
		"leaving":                          {send: []string{"41"}},
		"query in a namespace":             {send: []string{"40/custom?x=1,"}, want: `44/custom?x=1,{"message":"Invalid namespace"}`},
		"unknown namespace":                {send: []string{"40/random,"}, want: `44/random,{"message":"Invalid namespace"}`},
		"namespace without comma":          {send: []string{"40/random"}, want: `44/random,{"message":"Invalid namespace"}`},
		"attachment count out of this world": {
			send: []string{`459000000000000-["m"]`}, want: closed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.Of("/custom")
				var events notes
				b.OnConnect(func(s *sioserver.Socket) {
					s.OnAny(func(e *sioserver.Event) error {
						events.add("%s %s", e.Name, e.Args.JSON())
						return e.Ack()
					})
				})
				p, honest := b.dial(), b.dial()
				p.join("/")
				honest.join("/")
				p.offend(test.send...)
				if test.want == open {
					p.quiet()
				} else {
					p.want(test.want)
				}
				check(t, test.event, events.list())
				honest.send(`420["echo"]`)
				honest.want("430[]")
			})
		})
	}
}

// notes are lines that handlers write.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notes) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.lines)
}

// TestStrictnessReasons: what the program is told when a packet ends a connection.
func TestStrictnessReasons(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		send, reason string
		errors       int // told to the OnError listeners
	}{
		"packet that cannot be decoded": {send: "4abc", reason: "forced close", errors: 1},
		"second CONNECT":                {send: "40", reason: "forced server close"},
		"event of a foreign namespace":  {send: `42/x,["a"]`, reason: "forced server close"},
		"stray binary":                  {send: "binary x", reason: "forced close", errors: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				var got notes
				failed := 0
				b.OnConnect(func(s *sioserver.Socket) {
					s.OnError(func(error) { failed++ })
					s.OnDisconnect(func(reason sioclient.Reason, err error) {
						got.add("%s %v", reason, errors.Is(err, sioclient.ErrPacket))
					})
				})
				p := b.dial()
				p.join("/")
				p.send(test.send)
				p.want("closed")
				synctest.Wait()
				check(t, []string{test.reason + " true"}, got.list())
				check(t, test.errors, failed)
			})
		})
	}
}

// TestConnectTwiceAtOnce: the second CONNECT comes before the first is confirmed.
func TestConnectTwiceAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		p := b.dial()
		p.send("40", "40")
		var last string
		for m := range p.got {
			last = m
		}
		synctest.Wait()
		if len(b.Sockets()) != 0 {
			t.Errorf("%d sockets are left; last message %q", len(b.Sockets()), last)
		}
	})
}

// TestStrictnessPolling: over polling the client gets what was queued, and then the end.
func TestStrictnessPolling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.OnConnect(func(s *sioserver.Socket) { _ = s.Emit("hello") })
		p, _ := b.poll("EIO=4")
		check(t, "ok", p.post("40"))
		synctest.Wait()
		check(t, "ok", p.post("4abc"))
		body := p.get()
		if want := "\x1e" + `42["hello"]` + "\x1e1"; len(body) < len(want) || body[len(body)-len(want):] != want {
			t.Errorf("got %q, want the end %q", body, want)
		}
		check(t, `{"code":1,"message":"Session ID unknown"}`, p.get())
	})
}
