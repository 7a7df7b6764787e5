package api_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TestAppend checks that the length of a body is known before it is sent.
func TestAppend(t *testing.T) {
	t.Parallel()
	sent := make(chan []byte, 1)
	client := hub(t, nil, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent <- body
	})
	at := time.UnixMicro(1795326769000001)
	series := []api.Series{{Path: "W1", Samples: []api.Sample{{Time: at, Value: int64(7)}}}, {Path: "f1"}}
	writes := []api.SensorWrite{{Time: at, Who: "me"}, {FQTS: "a"}}
	events := []api.Event{{StartedOn: at}, {UUID: "u", EndedOn: at}}
	records := []api.LogRecord{{When: at, Message: "m"}, {Encoding: api.EncodingGzip}}
	for _, tc := range []struct {
		name    string
		upload  func() error
		entries []func([]byte) ([]byte, error)
	}{
		{"values", func() error { return client.UploadValues(t.Context(), series) }, []func([]byte) ([]byte, error){
			func(b []byte) ([]byte, error) { return api.AppendSeries(b, &series[0]) },
			func(b []byte) ([]byte, error) { return api.AppendSeries(b, &series[1]) },
		}},
		{"sensor writes", func() error { return client.UploadSensorWrites(t.Context(), writes) }, []func([]byte) ([]byte, error){
			func(b []byte) ([]byte, error) { return api.AppendSensorWrite(b, &writes[0]) },
			func(b []byte) ([]byte, error) { return api.AppendSensorWrite(b, &writes[1]) },
		}},
		{"events", func() error { _, err := client.UploadEvents(t.Context(), events); return err }, []func([]byte) ([]byte, error){
			func(b []byte) ([]byte, error) { return api.AppendEvent(b, &events[0]) },
			func(b []byte) ([]byte, error) { return api.AppendEvent(b, &events[1]) },
		}},
		{"logs", func() error { return client.UploadLogs(t.Context(), records) }, []func([]byte) ([]byte, error){
			func(b []byte) ([]byte, error) { return api.AppendLogRecord(b, &records[0]) },
			func(b []byte) ([]byte, error) { return api.AppendLogRecord(b, &records[1]) },
		}},
	} {
		if err := tc.upload(); err != nil {
			t.Fatal(err)
		}
		var want []byte
		for _, entry := range tc.entries {
			var err error
			if want, err = entry(want); err != nil {
				t.Fatal(err)
			}
		}
		got := <-sent
		if !bytes.HasSuffix(got, want) || len(got)-len(want) > api.MaxListHead {
			t.Errorf("%s: %d bytes, %d of them entries", tc.name, len(got), len(want))
		}
	}
}

// TestSampleOnTheWire checks the bytes of one sample: the time is an integer of 8 bytes, never a float.
func TestSampleOnTheWire(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		sample api.Sample
		want   string
	}{
		{api.Sample{Time: time.UnixMilli(1628873412444), Value: int64(7)}, "\x42\x18\x06\x01\x7b\x40\x6b\xcf\x5c\x03\x07"},
		{api.Sample{Time: time.UnixMilli(1), Value: 1.5}, "\x42\x03\x01\x09\x3f\xc0\x00\x00"},
		{api.Sample{Time: time.UnixMilli(1), Value: float64(float32(0.1))}, "\x42\x03\x01\x09\x3d\xcc\xcc\xcd"},
		{api.Sample{Time: time.UnixMilli(1), Value: 0.1}, "\x42\x03\x01\x0a\x3f\xb9\x99\x99\x99\x99\x99\x9a"},
		{api.Sample{Time: time.UnixMilli(1), Reason: smokerr.ReasonType}, "\x43\x17\x03\x01\x84type"},
	} {
		got, err := api.AppendSample(nil, &tc.sample)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != tc.want {
			t.Errorf("%+v is % x, want % x", tc.sample, got, tc.want)
		}
	}
}

// TestUnsendable checks that what has no form on the wire is refused before anything is sent, and named.
func TestUnsendable(t *testing.T) {
	t.Parallel()
	client := hub(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("a request") })
	ctx := t.Context()
	for name, upload := range map[string]func() error{
		"value of another type": func() error {
			return client.UploadValues(ctx, []api.Series{{}, {Samples: []api.Sample{{Value: int(7)}}}})
		},
		"no value": func() error {
			return client.UploadValues(ctx, []api.Series{{}, {Samples: []api.Sample{{}}}})
		},
		"path": func() error { return client.UploadValues(ctx, []api.Series{{}, {Path: "\xff"}}) },
		"definition": func() error {
			_, err := client.SyncPathpoints(ctx, []api.PathpointDef{{}, {Path: "\xff"}})
			return err
		},
		"event": func() error {
			_, err := client.UploadEvents(ctx, []api.Event{{}, {Metadata: map[string]string{strings.Repeat("k", 256): ""}}})
			return err
		},
		"log":  func() error { return client.UploadLogs(ctx, []api.LogRecord{{}, {Message: "\xff"}}) },
		"baob": func() error { _, err := client.BAOBs(ctx, []api.BAOBVersion{{}, {Key: "\xff"}}); return err },
		"sensor write": func() error {
			return client.UploadSensorWrites(ctx, []api.SensorWrite{{}, {Who: "\xff"}})
		},
	} {
		err := upload()
		wrong, ok := errors.AsType[*smokerr.InvalidArgumentError](err)
		if !ok || wrong.Field != "entry 1" || !errors.Is(err, errkit.NotSent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := client.PutMetadata(ctx, "k", "\xff", time.Time{}); !errors.Is(err, smokerr.ErrInvalidArgument) {
		t.Errorf("%v", err)
	}
	if err := client.PatchSlaveInstrumentation(ctx, "k", "\xff"); !errors.Is(err, smokerr.ErrInvalidArgument) {
		t.Errorf("%v", err)
	}
	before := []byte("before")
	after, err := api.AppendSample(before, &api.Sample{Value: math.MaxInt})
	if !errors.Is(err, smokerr.ErrInvalidArgument) || string(after) != "before" {
		t.Errorf("%q, %v", after, err)
	}
}
