//go:build !js

// Command token follows a server that wants a token which does not last: it fetches one before the first attempt, sends
// it with every upgrade, and fetches another when the server refuses it (status 401) or ends the connection because of it
// (close code 4401). A token that is refused although it is fresh ends the program.
//
//	TOKEN_SECRET=… token -url wss://api.example/ws -issuer https://login.example/token
//
// The issuer answers a POST that has the secret in its Authorization header with {"token":"…"}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

// settings are the flags.
type settings struct{ url, issuer, secret string }

func main() {
	var s settings
	flag.StringVar(&s.url, "url", "", "WebSocket `address`")
	flag.StringVar(&s.issuer, "issuer", "", "`address` of the issuer of tokens")
	flag.Parse()
	s.secret = os.Getenv("TOKEN_SECRET")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "token:", err)
		os.Exit(1)
	}
}

// run prints what arrives until ctx is done or the server wants nothing to do with this client.
func run(ctx context.Context, s settings, out io.Writer) error {
	source := &source{issuer: s.issuer, secret: s.secret}
	opts := wsclient.PresetGateway()
	opts.Dial.HeaderFunc = source.header
	opts.Dial.AuthRefresh = source.refresh
	m, err := wsclient.New(s.url, &opts)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	for msg, err := range m.Messages(ctx) {
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case errors.Is(err, wsclient.ErrQueueFull):
			fmt.Fprintln(out, err)
		case err != nil:
			return err
		default:
			fmt.Fprintf(out, "%s\n", msg.Data)
		}
	}
	return nil
}

// source has the newest token.
type source struct {
	issuer, secret string

	mu    sync.Mutex
	token string // "" if there is none yet
}

// header is asked before every attempt.
func (s *source) header(ctx context.Context, a wsclient.Attempt) (http.Header, error) {
	s.mu.Lock()
	missing := s.token == ""
	s.mu.Unlock()
	if missing {
		if err := s.refresh(ctx, a); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return http.Header{"Authorization": {"Bearer " + s.token}}, nil
}

// refresh fetches a token. Trouble with the issuer is a failed attempt like any other, but an issuer that refuses the
// secret will not change its mind.
func (s *source) refresh(ctx context.Context, _ wsclient.Attempt) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.issuer, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("the issuer refuses the secret: %w", wsclient.ErrGiveUp)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("the issuer answers %s", resp.Status)
	}
	var answer struct{ Token string }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return fmt.Errorf("the answer of the issuer: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = answer.Token
	return nil
}
