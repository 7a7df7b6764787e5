package disk_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestLockWhileProcessesStart: a lock that was closed is free at once, although processes are being started, which hold all
// open files for a moment.
func TestLockWhileProcessesStart(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "lock")
	stop := make(chan struct{})
	var starting sync.WaitGroup
	starting.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = exec.Command(exe, "-test.run=^$").Run() // its end does not matter
			}
		}
	})
	for range 20_000 {
		lock, err := disk.Lock(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := disk.Lock(name); !errors.Is(err, disk.ErrLocked) || !errors.Is(err, errkit.Conflict) {
			t.Fatalf("locked twice: %v", err)
		}
		for range 2 {
			if err := lock.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	starting.Wait()
}
