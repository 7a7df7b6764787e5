package leak_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

// planted names the test that a child process runs; its leak must be found there.
const planted = "FIELDLINK_LEAK_PLANTED"

func TestMain(m *testing.M) {
	if os.Getenv(planted) != "" {
		leak.SetGrace(50 * time.Millisecond)
	}
	leak.Main(m)
}

// TestPlanted runs the test binary again for each planted case and looks at its verdict.
func TestPlanted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		fail bool
		want string // in the output
	}{
		{name: "Clean"},
		{name: "EndsLate"},
		{name: "Signal"},
		{name: "Forgotten", fail: true, want: "leak_test.block"},
		{name: "Listener", fail: true, want: "net.(*TCPListener).Accept"},
		{name: "Timer", fail: true, want: "leak_test.block"},
		{name: "CheckedForgotten", fail: true, want: "leak_test.block"},
		{name: "CheckedGrandchild", fail: true, want: "leak_test.block"},
		{name: "CheckedSubtest", fail: true, want: "leak_test.block"},
		{name: "CheckedOther", fail: true, want: "left after all tests"},
		{name: "FailedFirst", fail: true, want: "the test's own failure"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$/^"+tc.name+"$", "-test.v")
			cmd.Env = append(os.Environ(), planted+"="+tc.name)
			out, err := cmd.CombinedOutput()
			if failed := err != nil; failed != tc.fail {
				t.Errorf("failed = %v, want %v; output:\n%s", failed, tc.fail, out)
			}
			if !strings.Contains(string(out), tc.want) {
				t.Errorf("output lacks %q:\n%s", tc.want, out)
			}
			if tc.name == "FailedFirst" && strings.Contains(string(out), "leak:") {
				t.Errorf("leak report on top of a failure:\n%s", out)
			}
			if tc.name == "CheckedOther" && strings.Contains(string(out), "--- FAIL") {
				t.Errorf("Check blamed the wrong test:\n%s", out)
			}
		})
	}
}

// TestChild holds the planted cases. It does nothing outside a child process.
func TestChild(t *testing.T) {
	if os.Getenv(planted) == "" {
		t.Skip("runs in a child process of TestPlanted")
	}
	t.Run("Clean", func(t *testing.T) {
		leak.SetGrace(30 * time.Second) // the client's goroutines end when the server has closed the connection
		leak.Check(t)
		srv := httptest.NewServer(http.NotFoundHandler())
		defer srv.Close()
		res, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	})
	t.Run("EndsLate", func(t *testing.T) {
		leak.SetGrace(30 * time.Second)
		leak.Check(t)
		stop := make(chan struct{})
		time.AfterFunc(20*time.Millisecond, func() { close(stop) })
		go func() { <-stop }()
	})
	t.Run("Signal", func(*testing.T) {
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	})
	t.Run("Forgotten", func(*testing.T) { go block() })
	t.Run("Listener", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = ln.Accept() }()
	})
	t.Run("Timer", func(*testing.T) {
		started := make(chan struct{})
		time.AfterFunc(0, func() { close(started); block() })
		<-started
	})
	t.Run("CheckedForgotten", func(t *testing.T) {
		leak.Check(t)
		go block()
	})
	t.Run("CheckedGrandchild", func(t *testing.T) {
		leak.Check(t)
		started := make(chan struct{})
		go func() {
			go block()
			close(started)
		}()
		<-started
	})
	t.Run("CheckedSubtest", func(t *testing.T) {
		leak.Check(t)
		t.Run("sub", func(*testing.T) { go block() })
	})
	t.Run("CheckedOther", func(t *testing.T) {
		go block() // before Check: not its business, but that of Main
		leak.Check(t)
	})
	t.Run("FailedFirst", func(t *testing.T) {
		go block()
		t.Error("the test's own failure")
	})
}

func block() { select {} }

func TestCheckInBubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leak.Check(t)
		go time.Sleep(time.Second)
	})
}

func TestCheckBesideOthers(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	go func() { <-stop }()
	t.Cleanup(func() { close(stop) })
	t.Run("checked", func(t *testing.T) {
		leak.Check(t)
		done := make(chan struct{})
		go close(done)
		<-done
	})
}
