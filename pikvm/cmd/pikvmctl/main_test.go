package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

// asProgram makes the test binary the program itself. It names a file that ends when the test does, and the program
// with it: one that a shell has started would live on when a test is killed.
const asProgram = "PIKVMCTL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if life := os.Getenv(asProgram); life != "" {
		number, err := strconv.Atoi(life)
		if err != nil {
			panic(err)
		}
		go func() {
			_, _ = io.ReadAll(os.NewFile(uintptr(number), "life")) // it ends, in whatever way
			os.Exit(99)
		}()
		main()
	}
	leak.Main(m)
}

// script is a command that lets bash run a script in which pikvmctl is the program, without any configuration.
func script(t *testing.T, text string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the script is for the shell of a Unix system")
	}
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not here, and the script needs it")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "pikvmctl")); err != nil {
		t.Fatal(err)
	}
	life, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = life.Close()
		_ = held.Close()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // a script that hangs is told before the test is killed
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, shell, "-c", text)
	cmd.Dir = dir
	cmd.Env = []string{
		asProgram + "=3", // the number of the first of ExtraFiles
		"HOME=" + dir, "XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "TMPDIR=" + dir, "LC_ALL=C",
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	cmd.ExtraFiles = []*os.File{life}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// console finds the blocks of a session in a README.
var console = regexp.MustCompile("(?s)```console\n(.*?)```")

// varies are what no two devices have in common.
var varies = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:8443"},
}

// TestREADME runs the session of the README, line by line in one shell, and compares what it shows.
func TestREADME(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var session strings.Builder
	for _, block := range console.FindAllSubmatch(text, -1) {
		session.Write(block[1])
	}
	first, want, _ := strings.Cut(session.String(), "\n")
	begin, ok := strings.CutPrefix(first, "$ ")
	if !ok || !strings.HasPrefix(begin, "pikvmctl sim ") || !strings.HasSuffix(begin, " bash") {
		t.Fatalf("the session begins with %q, not with a shell beside the sim", first)
	}
	var lines strings.Builder
	for line := range strings.Lines(want) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			lines.WriteString("cat <<'SHOWN'\n" + line + "SHOWN\n" + command)
		}
	}
	cmd := script(t, begin+" session")
	if err := os.WriteFile(filepath.Join(cmd.Dir, "session"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("the session ended with %v", err)
	}
	got := string(out)
	for _, v := range varies {
		got = v.pattern.ReplaceAllString(got, v.by)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("session (-README +run):\n%s", d)
	}
}

// TestProcess is what only a process shows: its command line, its exit code, and a signal.
func TestProcess(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, script, want string }{
		{
			name: "no password in the list of processes",
			script: `export PIKVM_PASSWORD=correct-horse
				pikvmctl sim bash -c '
					pikvmctl watch > watched & watch=$!
					until [ -s watched ]; do kill -0 $watch || exit; sleep 0.02; done
					tr "\0" " " < /proc/$watch/cmdline; echo
					tr "\0" " " < /proc/$PPID/cmdline | grep -c -e "$PIKVM_PASSWORD"
					kill -TERM $watch; wait $watch; echo "exit code $?"'`,
			want: "pikvmctl watch \n0\nexit code 130\n",
		},
		{
			name: "sim ends by a signal",
			script: `pikvmctl sim -o json > told & sim=$!
				until [ -s told ]; do kill -0 $sim || exit; sleep 0.02; done
				kill -TERM $sim; wait $sim; echo "exit code $?"`,
			want: "exit code 0\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat("/proc/self/cmdline"); err != nil {
				t.Skip("there is no /proc here to look at command lines")
			}
			out, err := script(t, tc.script).CombinedOutput()
			if err != nil {
				t.Errorf("%v", err)
			}
			if d := cmp.Diff(tc.want, string(out)); d != "" {
				t.Errorf("shown (-want +got):\n%s", d)
			}
		})
	}
}

// TestProgramsEndWithTheTest: what a test has started in the background ends when the test is gone, whatever it ends of.
func TestProgramsEndWithTheTest(t *testing.T) {
	t.Parallel()
	life, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer life.Close()
	cmd := script(t, `pikvmctl sim & wait $!; echo "exit code $?"`)
	cmd.ExtraFiles = []*os.File{life}
	told, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(told, first); err != nil { // it runs
		t.Fatal(err)
	}
	_ = held.Close()
	rest, err := io.ReadAll(told)
	if err != nil || !strings.HasSuffix(string(rest), "exit code 99\n") {
		t.Errorf("%q, %v", rest, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
