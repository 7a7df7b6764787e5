package main

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

// TestMain is the other process as well.
func TestMain(m *testing.M) {
	if address := os.Getenv(clientsOf); address != "" {
		n, err := strconv.Atoi(os.Getenv(clientCount))
		if err == nil {
			err = runClients(context.Background(), os.Stdin, os.Stdout, address, n)
		}
		exit(err)
		return
	}
	leak.Main(m)
}

// TestFew is the short version.
func TestFew(t *testing.T) {
	var out bytes.Buffer
	if err := runServer(t.Context(), &out, plan{connections: 50, interval: time.Minute, hold: time.Millisecond}); err != nil {
		t.Error(err)
	}
	t.Logf("\n%s", &out)
}
