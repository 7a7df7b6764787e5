package engineio_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// echoes sends back what it gets.
type echoes struct{ session *engineio.Session }

func (e *echoes) HandleMessage(binary bool, data []byte) {
	m := engineio.Text(data) // a copy: text is good during the call only
	if binary {
		m = engineio.Binary(data)
	}
	if err := e.session.Send(m); err != nil {
		e.session.CloseWith("transport error", err) // the client does not read
	}
}

func (e *echoes) HandleClose(reason engineio.Reason, _ error) { fmt.Println(reason) }

func ExampleNewServer() {
	server, err := engineio.NewServer(&engineio.ServerOptions{
		OnSession: func(s *engineio.Session) engineio.Handler { return &echoes{s} },
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", server)

	// A client, by hand.
	do := func(method, query, body string) string {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, "/engine.io/?EIO=4&transport=polling"+query, strings.NewReader(body)))
		return w.Body.String()
	}
	_, sid, _ := strings.Cut(do(http.MethodGet, "", ""), `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)
	fmt.Println(do(http.MethodPost, "&sid="+sid, "4hello"))
	fmt.Println(do(http.MethodGet, "&sid="+sid, ""))

	if err := server.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ok
	// 4hello
	// forced close
}
