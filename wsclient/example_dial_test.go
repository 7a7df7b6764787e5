package wsclient_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A token that has expired is refreshed once, and every attempt sends the newest one.
func Example_tokenRefresh() {
	srv, err := wstest.Start(&wstest.Options{Request: func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "Bearer fresh" {
			return true
		}
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	var token atomic.Value
	token.Store("stale")
	m, err := wsclient.New(srv.URL(), &wsclient.Options{Dial: wsclient.DialOptions{
		HeaderFunc: func(context.Context, wsclient.Attempt) (http.Header, error) {
			return http.Header{"Authorization": {"Bearer " + token.Load().(string)}}, nil
		},
		AuthRefresh: func(_ context.Context, a wsclient.Attempt) error {
			fmt.Println("refused with", a.LastStatus)
			token.Store("fresh") // a real program asks its identity provider
			return nil
		},
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Connect(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.State(), "after", m.Stats().Attempts, "attempts")
	// Output:
	// refused with 401
	// connected after 2 attempts
}
