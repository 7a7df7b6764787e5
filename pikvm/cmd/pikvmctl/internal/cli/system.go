// Package cli has the commands of pikvmctl.
package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// System is what a run of the program has around it.
type System struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	StdinTerminal  bool // somebody can be asked
	StdoutTerminal bool // what is written is read by a person
	StderrTerminal bool // somebody watches

	// ReadPassword reads a line from the terminal without showing it.
	ReadPassword func() (string, error)

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
		ReadPassword: func() (string, error) {
			line, err := term.ReadPassword(int(os.Stdin.Fd()))
			return string(line), err
		},
		Getenv: os.Getenv, Environ: os.Environ(), ConfigDir: configDir, Home: home,
	}
}
