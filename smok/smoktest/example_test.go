package smoktest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// A program that uploads a reading is tested against a hub whose first answer gets lost: the reading arrives twice and is
// kept once.
func Example() {
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer hub.Close()
	certPEM, keyPEM, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		fmt.Println(err)
		return
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: hub.RootCAs(), Certificates: []tls.Certificate{cert}}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	hub.Inject(smoktest.Fault{Path: "/v1/device/pathpoints", Kind: smoktest.FaultReset, AfterEffect: true, Times: 1})
	body, err := minijson.Marshal([]any{map[string]any{"path": "W1", "values": []any{[]any{int64(1795326768643), 7}}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, hub.URL()+"/v1/device/pathpoints", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/minijson")
		resp, err := client.Do(r)
		if err != nil {
			fmt.Println("no answer")
			continue
		}
		fmt.Println(resp.Status)
		_ = resp.Body.Close()
	}
	for _, sample := range hub.Device("pump-1").Samples("W1") {
		fmt.Println(sample.Time, sample.Value)
	}
	fmt.Println("came again:", hub.Device("pump-1").Counts().Repeated)
	// Output:
	// no answer
	// 200 OK
	// 2026-11-22 05:52:48.643 +0000 UTC 7
	// came again: 1
}
