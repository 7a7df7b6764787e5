package leak

import (
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

func TestAwaitNamesTheGoroutineThatStays(t *testing.T) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		<-stop
	}()
	left := await(20 * time.Millisecond)
	if len(left) != 1 || !strings.Contains(left[0], "TestAwaitNamesTheGoroutineThatStays") {
		t.Errorf("await = %q, want one goroutine created by this test", left)
	}
	close(stop)
	<-ended
	if left := await(grace); left != nil {
		t.Errorf("await = %q after the goroutine ended, want none", left)
	}
}

func TestAwaitLetsAGoroutineFinish(t *testing.T) {
	stop := make(chan struct{})
	go func() { <-stop }()
	timer := time.AfterFunc(5*time.Millisecond, func() { close(stop) })
	defer timer.Stop()
	if left := await(grace); left != nil {
		t.Errorf("await = %q, want none", left)
	}
}

func TestStrays(t *testing.T) {
	const (
		first   = "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:1 +0x1"
		runner  = "goroutine 7 [chan receive]:\ntesting.(*T).Run(0x1)\ncreated by testing.(*T).Run in goroutine 1\n\t/go/testing.go:1 +0x1"
		signals = "goroutine 8 [syscall]:\nos/signal.signal_recv()\ncreated by os/signal.Notify.func1.1 in goroutine 1\n\t/go/signal.go:1 +0x1"
		stray   = "goroutine 9 [select]:\nx.loop()\ncreated by x.New in goroutine 7\n\t/src/x.go:1 +0x1"
		lookish = "goroutine 10 [select]:\ny.testing.loop()\ncreated by y/testing.New in goroutine 7\n\t/src/y.go:1 +0x1"
	)
	for _, tc := range []struct {
		name string
		dump []string
		want []string
	}{
		{name: "first goroutine", dump: []string{first}},
		{name: "test runner", dump: []string{first, runner}},
		{name: "signal handler", dump: []string{first, signals}},
		{name: "stray among them", dump: []string{first, runner, stray, signals}, want: []string{stray}},
		{name: "package of a similar name", dump: []string{first, stray, lookish}, want: []string{stray, lookish}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := strays(strings.Join(tc.dump, "\n\n") + "\n")
			if g, w := strings.Join(got, "|"), strings.Join(tc.want, "|"); g != w {
				t.Errorf("strays = %q, want %q", g, w)
			}
		})
	}
}
