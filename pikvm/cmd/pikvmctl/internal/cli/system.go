// Package cli has the commands of pikvmctl.
package cli

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// System is what a run of the program has around it.
type System struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	StdinTerminal  bool // somebody can be asked
	StdoutTerminal bool // what is written is read by a person
	StderrTerminal bool // somebody watches

	// ReadPassword reads a line from the terminal without showing it. It ends with ctx, and the terminal shows again
	// what is typed.
	ReadPassword func(ctx context.Context) (string, error)

	Environ   []string // for programs that this one starts
	Getenv    func(string) string
	ConfigDir string // of the user, empty if unknown
	Home      string // of the user, empty if unknown
}

// Here returns the system of this process.
func Here() *System {
	configDir, _ := os.UserConfigDir() // without one there is no configuration file
	home, _ := os.UserHomeDir()        // without one "~/" leads nowhere
	return &System{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdinTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		ReadPassword:   readPassword,
		Getenv:         os.Getenv, Environ: os.Environ(), ConfigDir: configDir, Home: home,
	}
}

func readPassword(ctx context.Context) (string, error) {
	terminal := int(os.Stdin.Fd())
	before, err := term.GetState(terminal)
	if err != nil {
		return "", err
	}
	line, err := interruptible(ctx, func() (string, error) {
		line, err := term.ReadPassword(terminal)
		return string(line), err
	})
	if ctx.Err() != nil {
		_ = term.Restore(terminal, before) // nothing else can be done about it
	}
	return line, err
}

// interruptible returns what read returns, or earlier that ctx has ended. Nothing stops a read of a terminal or a pipe:
// it goes on until there is something to read, or the program ends.
func interruptible(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", exit.StatusError(exit.Interrupted)
	}
}
