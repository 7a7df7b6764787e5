package smoktest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const deviceLogs = "/v1/device/device_logs"

func pack(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(text)) // to memory
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func record(when any, message any) object {
	return object{"service": "main", "when": when, "level": 20, "message": message}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	long := strings.Repeat("long ", 500)
	packed := record(int64(1795326768000002), object{"encoding": "base64-gzip", "content": pack(t, long)})
	packed["exception_text"], packed["exception_traceback"] = "ValueError", pack(t, `{"frames":[]}`)
	p.want("PUT", deviceLogs, list{record(int64(1795326768000001), "short"), packed}, `{}`)
	p.want("PUT", deviceLogs, list{record(int64(1795326768000002), "not later")}, `{}`)
	at := time.UnixMicro(1795326768000001).UTC()
	want := []smoktest.LogRecord{
		{Service: "main", Time: at, Level: 20, Message: "short", Request: 1},
		{
			Service: "main", Time: at.Add(time.Microsecond), Level: 20, Message: long, Compressed: true, Exception: "ValueError",
			Traceback: []byte(`{"frames":[]}`), Request: 1,
		},
		{Service: "main", Time: at.Add(time.Microsecond), Level: 20, Message: "not later", Request: 2},
	}
	if d := cmp.Diff(want, pump.Logs()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if c := pump.Counts(); c.LogRecords != 3 || c.LogDisorder != 1 {
		t.Errorf("%+v", c)
	}
}

func TestBadLogs(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "pump")
	content := func(encoding, content any) object {
		return record(1, object{"encoding": encoding, "content": content})
	}
	traceback := record(1, "x")
	traceback["exception_traceback"] = pack(t, "not JSON")
	good := pack(t, "x")
	for name, bad := range map[string]any{
		"unknown encoding": content("gzip", good), "not base64": content("base64-gzip", "*"), "not gzip": content("base64-gzip", "AAAA"),
		"cut gzip": content("base64-gzip", good[:16]), "content no text": content("base64-gzip", 1), "message no text": record(1, 1),
		"time is a float": record(1.0, "x"), "traceback": traceback, "bomb": content("base64-gzip", pack(t, strings.Repeat("x", 4<<20+1))),
	} {
		t.Run(name, func(t *testing.T) {
			p.refused("PUT", deviceLogs, list{record(1, "x"), bad}, http.StatusBadRequest)
		})
	}
	if got := hub.Device("pump").Logs(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
