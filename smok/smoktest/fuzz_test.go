package smoktest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// FuzzRequest gives any body to any endpoint. The hub answers, with JSON, and what it refuses has changed nothing.
func FuzzRequest(f *testing.F) {
	hub := smoktest.New(&smoktest.Options{PlainHTTP: true, MaxKept: 100, MaxBAOB: 1000})
	if err := hub.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = hub.Close() })
	certPEM, _, err := hub.Issue(ngtttest.Device{ID: "pump"})
	if err != nil {
		f.Fatal(err)
	}
	certificate := strings.ReplaceAll(string(certPEM), "\n", "\t")
	pump := hub.Device("pump")
	pump.SetInfo(smoktest.Info{Slaves: []smoktest.Slave{{ID: "s1"}}})
	endpoints := []string{
		"POST " + pathpoints, "PUT " + pathpoints, "PUT /v1/device/sensor/write_log", "POST " + alarmsPath,
		"PUT /v1/device/metadata/plain/key", "POST " + baobs, "PUT " + baobs + "/key", "PATCH /v1/device/instrumentation/s1",
		"PUT " + deviceLogs, "GET /v1/device", "POST " + orders,
	}
	seed := func(endpoint int, document any) {
		b, err := minijson.Marshal(document)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(endpoint), b)
	}
	seed(0, series("W1", list{int64(1795326768643), 7}, list{false, int64(1795326769000), "timeout"}))
	seed(1, list{object{"path": "W1", "storage_level": 1}})
	seed(2, list{object{"timestamp": 1, "who": "", "hr_sensor": "", "hr_value": "", "fqts": "", "value": "", "reason": ""}})
	seed(3, list{event(nil), event(object{"ended_on": 1.5, "uuid": "x", "handled_by": "me"})})
	seed(4, object{"value": "x", "unless_timestamp_higher": 1795326768})
	seed(5, list{object{"key": "key", "version": 1}})
	f.Add(byte(6), []byte("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\ndata\r\n--x\r\n"+
		"Content-Disposition: form-data; name=\"data\"; filename=\"data\"\r\n\r\n{\"version\":1}\r\n--x--\r\n"))
	seed(7, object{"linkstate": `{"status":true}`})
	seed(8, list{record(1, "x"), record(2, object{"encoding": "base64-gzip", "content": "H4sIAAAAAAAA/wEAAP//AAAAAAAAAAA="})})
	f.Add(byte(9), []byte{})
	f.Fuzz(func(t *testing.T, endpoint byte, body []byte) {
		method, path, _ := strings.Cut(endpoints[int(endpoint)%len(endpoints)], " ")
		before := pump.Counts()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(string(body)))
		r.Header.Set("X-SSL-Client-Certificate", certificate)
		r.Header.Set("Content-Type", "application/minijson")
		if path == baobs+"/key" {
			r.Header.Set("Content-Type", `multipart/form-data; boundary=x`)
		}
		w := httptest.NewRecorder()
		hub.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		if w.Code != http.StatusOK && pump.Counts() != before {
			t.Errorf("%d %s: %+v", w.Code, w.Body, pump.Counts())
		}
		if len(pump.Samples("")) > 100 || len(pump.Logs()) > 100 {
			t.Error("too much is kept")
		}
		hub.ClearRequests()
	})
}
