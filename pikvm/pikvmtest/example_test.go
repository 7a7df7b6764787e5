package pikvmtest_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// A program that switches a machine on is tested against a machine whose power button is stuck the first time.
func Example() {
	kvm := pikvmtest.New(&pikvmtest.Options{TimeScale: 10})
	if err := kvm.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer kvm.Close()
	kvm.Inject(pikvmtest.Fault{Path: "/api/atx/*", Kind: pikvmtest.FaultPage, Status: 502, Times: 1})

	for range 2 {
		r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, kvm.URL()+"/api/atx/power?action=on", nil)
		r.Header.Set("X-KVMD-User", "admin")
		r.Header.Set("X-KVMD-Passwd", "admin")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Status)
		_ = resp.Body.Close()
	}
	_ = kvm.WaitHostPower(context.Background(), true)
	for _, e := range kvm.PowerLog() {
		fmt.Println(e.Kind)
	}
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// 502 Bad Gateway
	// 200 OK
	// power pressed
	// power released
	// host on
}
