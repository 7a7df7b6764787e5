package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

// asProgram makes the test binary the program itself.
const asProgram = "PIKVMCTL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	leak.Main(m)
}

// program returns a folder with a program pikvmctl, and an environment that finds it and no configuration.
func program(t *testing.T) (dir string, env []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "pikvmctl")); err != nil {
		t.Skipf("no links here, so that the program cannot be found by its name: %v", err)
	}
	return dir, []string{
		asProgram + "=1", "HOME=" + dir, "XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "TMPDIR=" + dir, "LC_ALL=C",
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
}

// bash finds the shell that the README's session is written for.
func bash(t *testing.T) string {
	t.Helper()
	name, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not here, and the session of the README needs it")
	}
	return name
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
	var script strings.Builder
	for line := range strings.Lines(want) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			script.WriteString("cat <<'SHOWN'\n" + line + "SHOWN\n" + command)
		}
	}
	dir, env := program(t)
	scriptFile := filepath.Join(dir, "session")
	if err := os.WriteFile(scriptFile, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bash(t), "-c", begin+" "+scriptFile)
	cmd.Dir, cmd.Env = dir, env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("the session ended with %v", err)
	}
	got := out.String()
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
	shell := bash(t)
	for _, tc := range []struct{ name, script, want string }{
		{
			name: "no password in the list of processes",
			script: `export PIKVM_PASSWORD=correct-horse
				pikvmctl sim bash -c '
					pikvmctl watch > watched & watch=$!
					until [ -s watched ]; do sleep 0.02; done
					tr "\0" " " < /proc/$watch/cmdline; echo
					tr "\0" " " < /proc/$PPID/cmdline | grep -c -e "$PIKVM_PASSWORD"
					kill -TERM $watch; wait $watch; echo "exit code $?"'`,
			want: "pikvmctl watch \n0\nexit code 130\n",
		},
		{
			name: "sim ends by a signal",
			script: `pikvmctl sim -o json > told & sim=$!
				until [ -s told ]; do sleep 0.02; done
				kill -TERM $sim; wait $sim; echo "exit code $?"`,
			want: "exit code 0\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat("/proc/self/cmdline"); err != nil {
				t.Skip("there is no /proc here to look at command lines")
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cmd := exec.CommandContext(ctx, shell, "-c", tc.script)
			cmd.Dir, cmd.Env = program(t)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v", err)
			}
			if d := cmp.Diff(tc.want, string(out)); d != "" {
				t.Errorf("shown (-want +got):\n%s", d)
			}
		})
	}
}
