package main

import (
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"
)

// terminal opens a new terminal: what is read from and written to person is on the screen and typed.
func terminal(t *testing.T) (person, tty *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	control := func(request uintptr, value *int32) {
		if _, _, no := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(value))); no != 0 {
			t.Fatal(no)
		}
	}
	var locked, number int32
	control(syscall.TIOCSPTLCK, &locked)
	control(syscall.TIOCGPTN, &number)
	tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return person, tty
}

// TestPasswordPrompt asks on a terminal for a password and does not show it; Ctrl-C ends that, and the terminal is then
// as it was before.
func TestPasswordPrompt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, typed, shown string }{
		{"password", "admin\n", "lets admin in"},
		{"wrong password", "nimda\n", "authentication failed"},
		{"interrupted", "\x03", "exit code 130"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			person, tty := terminal(t)
			before, err := term.GetState(int(person.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			changed := func() bool {
				now, err := term.GetState(int(person.Fd()))
				return err != nil || !reflect.DeepEqual(before, now)
			}
			cmd := script(t, `pikvmctl sim bash -c 'unset PIKVM_PASSWORD; pikvmctl check; echo "exit code $?"'; echo end`)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = tty.Close() // the screen ends with the last program that has it
			var screen strings.Builder
			until := func(text string) {
				for buffer := make([]byte, 1<<10); !strings.Contains(screen.String(), text); {
					n, err := person.Read(buffer)
					if screen.Write(buffer[:n]); err != nil {
						t.Fatalf("%v, and no %q on the screen:\n%s", err, text, screen.String())
					}
				}
			}
			until("none): ")
			for deadline := time.After(time.Minute); !changed(); { // until what is typed is not shown
				select {
				case <-deadline:
					t.Fatal("the terminal shows what is typed")
				case <-time.After(time.Millisecond):
				}
			}
			if _, err := io.WriteString(person, tc.typed); err != nil {
				t.Fatal(err)
			}
			until("end\r\n")
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if text := screen.String(); !strings.Contains(text, tc.shown) || strings.Contains(text, strings.TrimSpace(tc.typed)+"\r\n") {
				t.Errorf("on the screen:\n%s", text)
			}
			if changed() {
				t.Error("the terminal is not as before")
			}
		})
	}
}
