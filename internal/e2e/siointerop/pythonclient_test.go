//go:build interop

package siointerop_test

import (
	"strings"
	"testing"
)

// TestPythonClient lets python-socketio's client be served by this repository's server.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	for _, transports := range ways {
		t.Run(strings.Join(transports, " and "), func(t *testing.T) {
			t.Parallel()
			runChecks(t, map[string]any{"url": testServer(t), "transports": transports}, python(), "python/client.py")
		})
	}
}
