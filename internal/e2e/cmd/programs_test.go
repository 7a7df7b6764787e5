// Package cmd_test lets siotestclient and siotestserver play with each other, as the programs that they are.
package cmd_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// limit bounds every program, and patience each command of a script: neither is for more than not to hang for ever.
const (
	limit    = 8 * time.Minute
	patience = `{"timeout_ms":60000,`
)

// build puts both programs into a folder that is removed after the test.
func build(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", folder, "./siotestserver", "./siotestclient")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder
}

// server is a siotestserver that runs.
type server struct {
	url  string
	stop func() (exitCode int)
}

func start(t *testing.T, folder string, env []string, args ...string) server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	cmd := exec.CommandContext(ctx, filepath.Join(folder, "siotestserver"), args...)
	cmd.Env = append(os.Environ(), append([]string{"SIO_ADDR=127.0.0.1:0", "SIO_PING_TIMEOUT=5m"}, env...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	stop := sync.OnceValue(func() int {
		defer cancel()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		return exitCode(t, cmd.Wait())
	})
	t.Cleanup(func() { stop() })
	url, ok := strings.CutPrefix(line, "listening ")
	if !ok {
		t.Fatalf("the server said %q", line)
	}
	return server{url: strings.TrimSpace(url), stop: stop}
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// play runs siotestclient and returns what it printed, without the times and ids, which are different each time.
func play(t *testing.T, folder, script string, args ...string) (lines []string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(folder, "siotestclient"), args...)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.Output()
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if !json.Valid([]byte(line)) || !strings.HasPrefix(line, `{"at_ms":`) {
			t.Errorf("strange line %q", line)
		}
		lines = append(lines, changing.ReplaceAllString(line, ""))
	}
	return lines, exitCode(t, err)
}

// changing are the members that differ from run to run.
var changing = regexp.MustCompile(`"at_ms":\d+,|,"(id|text)":"([^"\\]|\\.)*"`)

const connected = `{"kind":"connect","recovered":false}`

func event(name, args string) string {
	return `{"kind":"event","event":"` + name + `","args":[` + args + `]}`
}

func ack(name, args string) string {
	return `{"kind":"ack","event":"` + name + `","args":[` + args + `]}`
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	folder := build(t)
	t.Run("scripts", func(t *testing.T) { testScripts(t, folder) })
	t.Run("usage", func(t *testing.T) { testUsage(t, folder) })
	t.Run("the end", func(t *testing.T) {
		if exit := start(t, folder, nil).stop(); exit != 0 {
			t.Errorf("exit code %d after an interrupt", exit)
		}
	})
}

func testScripts(t *testing.T, folder string) {
	servers := map[string]server{
		"default":  start(t, folder, []string{"SIO_SERVER_ID=env", "SIO_EIO3=true"}, "-server-id", "flag"),
		"recovery": start(t, folder, nil, "-recovery", "1m"),
		"msgpack":  start(t, folder, []string{"SIO_PARSER=msgpack"}),
		"polling":  start(t, folder, nil, "-transports", "polling"),
	}
	const asdf = `{"$bytes":"YXNkZmFzZGY="}`
	for _, tt := range []struct {
		name, server string
		args         []string
		script       []string
		want         []string
		exit         int
	}{
		{
			name: "events and acknowledgements", args: []string{"-transports", "websocket", "-auth", `{"token":1}`},
			script: []string{
				`{"do":"connect"}`, `{"do":"expect","event":"auth"}`,
				`{"do":"emit","event":"message","args":[12345678901234567890,{"b":1,"a":[1e400]},null]}`,
				`{"do":"expect","event":"message-back"}`,
				`{"do":"call","event":"echo","args":["ä"]}`,
				`{"do":"call","event":"whoami"}`,
				`{"do":"emit","event":"ack"}`, `{"do":"expect","event":"ack","ack":[5,{"test":true}]}`,
				`{"do":"expect","event":"got it"}`,
			},
			want: []string{
				connected, event("auth", `{"token":1}`), event("message-back", `12345678901234567890,{"b":1,"a":[1e400]},null`),
				ack("echo", `"ä"`), ack("whoami", `"flag"`), event("ack", ""), event("got it", ""),
			},
		},
		{
			name: "rooms", args: []string{"-transports", "websocket"},
			script: []string{
				`{"do":"connect"}`, `{"do":"expect","event":"auth"}`, `{"do":"call","event":"join","args":["r"]}`,
				`{"do":"call","event":"to","args":["r","news",{"$bytes":""},1]}`, `{"do":"expect","event":"news"}`,
				`{"do":"call","event":"x-emit","args":[{"event":"x","args":[{"$bytes":"AAE="},"y"],"to":["r"]}]}`, `{"do":"expect","event":"x"}`,
				`{"do":"call","event":"to-with-ack","args":["r","q",50]}`, `{"do":"expect","event":"q"}`,
				`{"do":"call","event":"leave","args":["r"]}`, `{"do":"call","event":"fetch","args":["r"]}`,
				`{"do":"call","event":"x-reason","args":["nobody"]}`,
			},
			want: []string{
				connected, event("auth", "{}"), ack("join", ""), event("news", `{"$bytes":""},1`), ack("to", ""),
				event("x", `{"$bytes":"AAE="},"y"`), ack("x-emit", ""), event("q", ""), ack("to-with-ack", `"operation has timed out"`),
				ack("leave", ""), ack("fetch", "[]"), ack("x-reason", "null"),
			},
		},
		{
			name: "msgpack", server: "msgpack", args: []string{"-parser", "msgpack"},
			script: []string{
				`{"do":"connect"}`, `{"do":"expect","event":"auth"}`, `{"do":"emit","event":"doge"}`, `{"do":"expect","event":"doge"}`,
				`{"do":"call","event":"message-with-ack","args":[{"deep":[` + asdf + `]}]}`,
			},
			want: []string{connected, event("auth", "{}"), event("doge", asdf), ack("message-with-ack", `{"deep":[`+asdf+`]}`)},
		},
		{
			name: "a broken connection", server: "recovery", args: []string{"-transports", "websocket"},
			script: []string{
				`{"do":"connect"}`, `{"do":"expect","event":"connect"}`, `{"do":"break"}`, `{"do":"expect","event":"disconnect"}`,
				`{"do":"expect","event":"connect"}`, `{"do":"call","event":"echo","args":[1]}`,
			},
			want: []string{`"kind":"reconnect_attempt","attempt":1`, `"kind":"reconnect","attempt":1`, `"reason":"transport`, `"recovered":true`, ack("echo", "1")},
		},
		{
			name: "polling alone", server: "polling",
			script: []string{`{"do":"connect"}`, `{"do":"expect","event":"auth"}`, `{"do":"call","event":"false","timeout_ms":100}`},
			want:   []string{connected, event("auth", "{}"), `"kind":"error","do":"call","event":"false","class":"sioclient.timeout"`},
			exit:   1,
		},
		{
			name: "no WebSocket where there is none", server: "polling", args: []string{"-transports", "websocket"},
			script: []string{`{"do":"connect"}`, `{"do":"expect","event":"connect_error"}`},
			want:   []string{`"kind":"connect_error","class":"sioclient.connection"`},
		},
		{
			name: "refused", args: []string{"-namespace", "/no"},
			script: []string{`{"do":"connect"}`, `{"do":"expect","event":"connect_error"}`},
			want:   []string{`"class":"sioclient.connection.refused"`, `Auth failed (custom namespace)`},
		},
		{
			name: "unknown namespace", args: []string{"-namespace", "/random"},
			script: []string{`{"do":"connect"}`, `{"do":"expect","event":"connect","timeout_ms":1}`},
			want:   []string{`Invalid namespace`, `"kind":"error","do":"expect","event":"connect","class":"sioclient.timeout"`},
			exit:   1,
		},
		{
			name: "revision 3", args: []string{"-eio", "3", "-namespace", "/foo"},
			script: []string{`{"do":"connect"}`, `{"do":"expect","event":"connect"}`, `{"do":"call","event":"getId"}`, `{"do":"disconnect"}`, `{"do":"expect","event":"disconnect"}`},
			want:   []string{connected, `"kind":"ack","event":"getId"`, `"kind":"disconnect","reason":"io client disconnect"`},
		},
		{name: "unknown command", script: []string{`{"do":"dance"}`}, exit: 2},
		{name: "unknown flag", args: []string{"-dance"}, exit: 2},
		{name: "auth that is no object", args: []string{"-auth", "5"}, exit: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := servers[cmp.Or(tt.server, "default")].url
			var script strings.Builder
			for _, line := range tt.script {
				if !strings.Contains(line, "timeout_ms") {
					line = strings.Replace(line, "{", patience, 1)
				}
				script.WriteString(line + "\n")
			}
			lines, exit := play(t, folder, script.String(), append([]string{"-url", url}, tt.args...)...)
			if exit != tt.exit {
				t.Errorf("exit code %d, want %d", exit, tt.exit)
			}
			text := strings.Join(lines, "\n")
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in\n%s", want, text)
				}
			}
		})
	}
}

func testUsage(t *testing.T, folder string) {
	for name, tt := range map[string]struct {
		args, env []string
		want      string
	}{
		"adapter":              {args: []string{"-adapter", "redis"}, want: "no adapter for clusters"},
		"redis by environment": {env: []string{"SIO_REDIS=redis://localhost"}, want: "no adapter for clusters"},
		"bad environment":      {env: []string{"SIO_PING_INTERVAL=often"}, want: "SIO_PING_INTERVAL"},
		"bad parser":           {args: []string{"-parser", "xml"}, want: "neither default nor msgpack"},
		"bad transport":        {args: []string{"-transports", "pigeon"}, want: "unknown transport"},
		"path of the echo":     {args: []string{"-path", "/engine.io"}, want: "-path"},
		"too much":             {args: []string{"now"}, want: "unexpected argument"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), filepath.Join(folder, "siotestserver"), tt.args...)
			cmd.Env = append(os.Environ(), tt.env...)
			out, err := cmd.CombinedOutput()
			if exit := exitCode(t, err); exit != 2 || !strings.Contains(string(out), tt.want) {
				t.Errorf("exit code %d and %q, want 2 and %q", exit, out, tt.want)
			}
		})
	}
}
