package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
)

// hubProgram is the hub for tests as a program: it reads commands and answers each with a JSON object on a line.
const hubProgram = "github.com/fieldlink-go/fieldlink/smok/cmd/smokhub"

// gatewayID is what the hub calls the gateway.
const gatewayID = "gateway"

// hub is a SMOK hub in a process of its own. Its methods are for one goroutine.
type hub struct {
	process *exec.Cmd
	input   io.WriteCloser
	answers <-chan hubAnswer // closed at the end of the process's output
	dir     string           // for certificates and keys
	address hubAnswer        // once ready
}

// hubAnswer is a line of the hub's output; which members it has depends on the event.
type hubAnswer struct {
	Event   string
	Text    string // of an error
	URL     string // of the REST side
	NGTT    string // address of the order link
	Samples []hubSample
	Counts  struct {
		Repeated, Conflicting int
		Orders                struct{ Delivered, Repeated, Confirmed int }
	}
}

// hubSample is a value that the hub has.
type hubSample struct {
	Path  string
	Time  time.Time
	Value any // as JSON has it; nil if the reading failed
}

// startHub starts the program, which the go command may have to build first, and does not wait for it.
func startHub(dir string) (*hub, error) {
	process := exec.Command("go", "run", hubProgram, "-dir", dir, "-device", gatewayID)
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("the hub: %w", err)
	}
	answers := make(chan hubAnswer)
	go readAnswers(output, answers) // until the process ends: see close
	return &hub{process: process, input: input, answers: answers, dir: dir}, nil
}

// readAnswers passes on what is an answer, and leaves out what the hub tells unasked.
func readAnswers(output io.Reader, answers chan<- hubAnswer) {
	defer close(answers)
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var a hubAnswer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			a = hubAnswer{Event: "error", Text: err.Error()}
		}
		if a.Event != "request" && a.Event != "confirm" {
			answers <- a
		}
	}
}

// close ends the process and waits for it.
func (h *hub) close() error {
	_ = h.input.Close() // that is what ends it
	for range h.answers {
		continue // of commands that nobody waited for
	}
	return h.process.Wait()
}

// ready waits until the hub listens.
func (h *hub) ready(ctx context.Context) (err error) {
	h.address, err = h.answer(ctx)
	return err
}

// ask gives the hub a command and returns its answer.
func (h *hub) ask(ctx context.Context, command string) (hubAnswer, error) {
	if _, err := fmt.Fprintln(h.input, command); err != nil {
		return hubAnswer{}, fmt.Errorf("the hub: %w", err)
	}
	return h.answer(ctx)
}

func (h *hub) answer(ctx context.Context) (hubAnswer, error) {
	select {
	case a, ok := <-h.answers:
		switch {
		case !ok:
			return a, errors.New("the hub has ended")
		case a.Event == "error":
			return a, fmt.Errorf("the hub: %s", a.Text)
		}
		return a, nil
	case <-ctx.Done():
		return hubAnswer{}, ctx.Err()
	}
}

// credentials returns the certificate that the hub has issued for the gateway, and its authority.
func (h *hub) credentials() (*ngtt.Credentials, *x509.CertPool, error) {
	certificate, key := filepath.Join(h.dir, gatewayID+".crt"), filepath.Join(h.dir, gatewayID+".key")
	credentials, err := ngtt.LoadCredentials(certificate, key)
	if err != nil {
		return nil, nil, err
	}
	authority, err := os.ReadFile(filepath.Join(h.dir, "ca.pem"))
	if err != nil {
		return nil, nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, nil, errors.New("the hub's authority has no certificate")
	}
	return credentials, roots, nil
}
