package logship_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/logship"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// TestAgainstHub ships to a hub that reads every record, with a client that logs through the same handler, and with a hub
// that is away at first.
func TestAgainstHub(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	hub := smoktest.New(&smoktest.Options{
		Listen: network.Listen, Addr: "hub.test:443", NGTTAddr: "hub.test:2405", Hosts: []string{"hub.test"},
	})
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	certPEM, keyPEM, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := ngtt.ParseCredentials(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	var client *api.Client
	q, err := logship.New(logship.Config{
		Service: "pump", Level: slog.LevelDebug, BatchRecords: 7,
		Upload: func(ctx context.Context, records []api.LogRecord) error { return client.UploadLogs(ctx, records) },
	})
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(q.Handler())
	client, err = api.New(api.Config{
		Credentials: credentials, BaseURL: hub.URL(), RootCAs: hub.RootCAs(), DialContext: network.DialContext, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)

	long := strings.Repeat("long ", 1000)
	logger.Info("short", "n", 1)
	logger.Warn(long)
	logger.Error("failed", "err", errors.New("boom"))
	for range 20 {
		logger.Debug("more")
	}
	hub.Down(smoktest.REST)
	if err := q.Flush(t.Context()); err == nil || q.Stats().Queued != 23 {
		t.Fatalf("%v, %+v", err, q.Stats())
	}
	if err := hub.Up(smoktest.REST); err != nil {
		t.Fatal(err)
	}
	if err := q.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := hub.Device("pump-1").Logs()
	if len(got) != 23 || hub.Device("pump-1").Counts().LogDisorder != 0 {
		t.Fatalf("%d records", len(got))
	}
	for i, want := range []smoktest.LogRecord{
		{Level: 20, Message: "short n=1"}, {Level: 30, Message: long, Compressed: true}, {Level: 40, Message: "failed", Exception: "boom"},
	} {
		r := got[i]
		if r.Service != "pump" || r.Level != want.Level || r.Message != want.Message || r.Compressed != want.Compressed ||
			r.Exception != want.Exception {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
}
