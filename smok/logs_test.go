package smok_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const logsPath = "/v1/device/device_logs"

// logger returns a logger that ships to the hub.
func (w *world) logger(d *smok.Device, service string, opts *smok.LogOptions) *slog.Logger {
	w.t.Helper()
	h, err := d.LogHandler(service, opts)
	w.must(err)
	return slog.New(h)
}

// messages returns what the hub has of the logs.
func (w *world) messages() (all []string) {
	for _, r := range w.pump.Logs() {
		all = append(all, r.Message)
	}
	return all
}

func (w *world) wantLogs(want ...string) {
	w.t.Helper()
	if d := cmp.Diff(want, w.messages()); d != "" {
		w.t.Errorf("logs (-want +got):\n%s", d)
	}
}

func TestLogsReachTheHub(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		control := w.logger(d, "control", &smok.LogOptions{Level: slog.LevelDebug})
		modbus := w.logger(d, "modbus", &smok.LogOptions{JSON: true})
		w.sleep(time.Second)
		w.hub.ClearRequests()
		control.Debug("one", "n", 1)
		control.Error("two", "error", errors.New("boom"))
		modbus.Debug("not taken")
		modbus.Warn("three", "n", 3)
		control.Info(strings.Repeat("long ", 400))
		w.sleep(1500 * time.Millisecond)
		type record struct {
			Service, Message, Exception string
			Level                       int
			Compressed                  bool
		}
		var got []record
		for _, r := range w.pump.Logs() {
			got = append(got, record{r.Service, r.Message, r.Exception, r.Level, r.Compressed})
		}
		want := []record{
			{"control", "one n=1", "", 10, false},
			{"control", "two", "boom", 40, false},
			{"control", strings.Repeat("long ", 400), "", 20, true},
			{"modbus", `three {"n":3}`, "", 30, false},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if n := w.pump.Counts().LogDisorder; n != 0 {
			t.Errorf("%d records out of order", n)
		}
		if n := len(w.hub.Requests()); n != 2 { // one for each service, not one for each record
			t.Errorf("%d requests", n)
		}
		if s := d.Status().Logs; s.Shipped != 4 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestLogsGoOutAtShutdown: also those that were logged last.
func TestLogsGoOutAtShutdown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		l := w.logger(d, "s", nil)
		w.sleep(time.Second)
		l.Info("last words")
		w.must(d.Close())
		w.wantLogs("last words")
	})
}

// TestLogsWaitForTheHub: offline they cost no processor, and they come in order when the hub is there again.
func TestLogsWaitForTheHub(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		l := w.logger(d, "s", &smok.LogOptions{MaxRecords: 3})
		for i := range 5 {
			l.Info(fmt.Sprint(i))
		}
		w.sleep(time.Hour)
		runs := uint64(0)
		for _, task := range d.Status().Tasks {
			if task.Name == "logs" {
				runs = task.Runs
			}
		}
		if runs > 5 {
			t.Errorf("%d runs in an hour offline", runs)
		}
		w.hub.Inject(smoktest.Fault{Path: logsPath, Kind: smoktest.FaultAnswer, Status: 503, Times: 2})
		d.SetOffline(false)
		w.sleep(time.Minute)
		w.wantLogs("2 log records dropped", "2", "3", "4")
		if s := d.Status().Logs; s.Dropped != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// TestFailingLogsDoNotFeedThemselves: the device logs into its own handler. The original logs the contents of what the hub
// refuses, which makes more logs.
func TestFailingLogsDoNotFeedThemselves(t *testing.T) {
	for name, fault := range map[string]smoktest.Fault{
		"refused": {Kind: smoktest.FaultAnswer, Status: 400}, "failing": {Kind: smoktest.FaultAnswer, Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				late := new(lateHandler)
				d := w.run(smok.Options{Logger: slog.New(late)})
				h, err := d.LogHandler("self", &smok.LogOptions{Level: slog.LevelWarn}) // below are the requests of all areas
				w.must(err)
				late.inner.Store(&h)
				fault.Path = logsPath
				injected := w.hub.Inject(fault)
				slog.New(h).Warn("one")
				w.sleep(10 * time.Second)
				before := d.Status().Logs
				w.sleep(time.Minute)
				after := d.Status().Logs
				if grown := int(after.Rejected-before.Rejected) + after.Queued - before.Queued; grown > 0 {
					t.Errorf("%d records of its own in a minute", grown)
				}
				if injected.Hits() == 0 || len(w.reported()) == 0 {
					t.Error("nothing failed")
				}
			})
		})
	}
}

// lateHandler is a handler that gets its own handler late.
type lateHandler struct{ inner atomic.Pointer[slog.Handler] }

func (h *lateHandler) Enabled(ctx context.Context, level slog.Level) bool {
	inner := h.inner.Load()
	return inner != nil && (*inner).Enabled(ctx, level)
}

func (h *lateHandler) Handle(ctx context.Context, r slog.Record) error {
	return (*h.inner.Load()).Handle(ctx, r)
}

func (h *lateHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h *lateHandler) WithGroup(string) slog.Handler { return h }

// TestLogsHaveNoSecrets: neither those of the program nor those of the device.
func TestLogsHaveNoSecrets(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		creds := credentials(t, w.hub)
		d, err := smok.New(creds, w.options(smok.Options{Auth: smok.AuthHeader}))
		w.must(err)
		w.start(d)
		key, err := x509.MarshalPKCS8PrivateKey(creds.Certificate().PrivateKey)
		w.must(err)
		keyPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
		certPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: creds.Certificate().Certificate[0]}))
		header := strings.ReplaceAll(certPEM, "\n", "\t")
		l := w.logger(d, "s", &smok.LogOptions{Secrets: []string{"hunter2hunter2"}})
		for _, text := range []string{keyPEM, header, "hunter2hunter2"} {
			l.Info("m "+text, "a", text, "error", errors.New(text))
		}
		l.Info("m", "password", "xyzzy")
		w.sleep(2 * time.Second)
		records := w.pump.Logs()
		if len(records) != 4 {
			t.Fatalf("%d records", len(records))
		}
		for _, r := range records {
			for _, secret := range []string{
				base64.StdEncoding.EncodeToString(key)[:64], strings.Split(certPEM, "\n")[1], "hunter2hunter2", "xyzzy",
			} {
				if strings.Contains(r.Message+r.Exception, secret) {
					t.Errorf("a secret in %q, %q", r.Message, r.Exception)
				}
			}
		}
	})
}

func TestLogHandlerArguments(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		if _, err := d.LogHandler("", nil); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
		if _, err := d.LogHandler("s", &smok.LogOptions{MaxRecords: -1}); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
		for range 64 {
			w.logger(d, "s", nil)
		}
		if _, err := d.LogHandler("s", nil); !errors.Is(err, smok.ErrQueueFull) {
			t.Errorf("%v", err)
		}
		off := w.run(smok.Options{Disable: smok.Areas{Logs: true}})
		w.logger(off, "s", nil).Info("nobody wants it")
		w.sleep(time.Minute)
		w.wantLogs()
	})
}
