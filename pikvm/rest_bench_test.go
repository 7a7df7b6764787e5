package pikvm_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// BenchmarkCall asks for the state of the buttons on the loopback device, and does the same with net/http alone in turns:
// headers with the credentials, the answer decoded. What a call costs more is reported, from the fastest tenth of each,
// since what else runs on the machine only makes them slower.
func BenchmarkCall(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, atxOn) }))
	defer server.Close()
	client, err := pikvm.New(server.URL, &pikvm.Options{Password: "admin"})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	bare := &http.Client{Transport: transport}

	var ours, raw durations
	for i := 0; b.Loop(); i++ {
		for j := range 2 {
			begin := time.Now()
			if (i+j)%2 == 0 {
				if _, err := client.ATX.State(b.Context()); err != nil {
					b.Fatal(err)
				}
				ours.add(time.Since(begin))
				continue
			}
			if err := bareState(b, bare, server.URL); err != nil {
				b.Fatal(err)
			}
			raw.add(time.Since(begin))
		}
	}
	us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	b.ReportMetric(us(ours.fast()), "call-µs")
	b.ReportMetric(us(raw.fast()), "net/http-µs")
	b.ReportMetric(us(ours.fast()-raw.fast()), "more-µs")
}

// bareState is what a program without this module would do.
func bareState(b *testing.B, client *http.Client, url string) error {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+"/api/atx", nil)
	if err != nil {
		return err
	}
	r.Header.Set("X-KVMD-User", "admin")
	r.Header.Set("X-KVMD-Passwd", "admin")
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var state struct {
		OK     bool
		Result struct {
			Enabled, Busy bool
			LEDs          struct{ Power, HDD bool }
		}
	}
	return json.Unmarshal(body, &state)
}
