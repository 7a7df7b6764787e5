package pikvm_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// Secrets of the tests below.
const (
	secretPassword = "hunter2hunter2"
	secretTOTP     = "JBSWY3DPEHPK3PXP"
	secretToken    = "00000000000000000000000000000000000000000000000000c0ffeec0ffee00"
)

// checkSilent fails if a secret is in one of the texts that can be made of err, or in the log.
func checkSilent(t *testing.T, err error, log *bytes.Buffer) {
	t.Helper()
	slog.New(slog.NewJSONHandler(log, nil)).Warn("test", errkit.Attr(err))
	report, _ := json.Marshal(errkit.NewReport(err))
	texts := map[string]string{
		"text": err.Error(), "detail": errkit.Detail(err), "%+v": fmt.Sprintf("%+v", err), "%#v": fmt.Sprintf("%#v", err),
		"report": string(report), "log": log.String(),
	}
	for layer := range errkit.Walk(err) {
		texts[fmt.Sprintf("layer %T", layer)] = layer.Error()
	}
	for where, text := range texts {
		for _, secret := range []string{
			secretPassword, secretTOTP, secretToken,
			base64.StdEncoding.EncodeToString([]byte("admin:" + secretPassword))[:20],
		} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret is in the %s: %s", where, text)
			}
		}
	}
}

// TestSecrets lets devices and networks repeat all that they were told, in every mode and at every stage.
func TestSecrets(t *testing.T) {
	t.Parallel()
	echoes := func(r *http.Request) string {
		_ = r.ParseForm()
		return fmt.Sprint(r.Header["X-Kvmd-Passwd"], r.Header["Authorization"], r.Header["Cookie"], r.PostForm, secretTOTP)
	}
	quote := func(s string) string {
		text, _ := json.Marshal(s)
		return string(text)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"refusal": func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusBadRequest, `{"ok": false, "result": {"error": "E", "error_msg": `+quote(echoes(r))+`}}`)
		},
		"name": func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusConflict, `{"ok": false, "result": {"error": `+quote(echoes(r))+`}}`)
		},
		"text": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, echoes(r))
		},
		"page": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<title>"+echoes(r)+"</title>")
		},
		"location": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://evil.example/"+strings.ReplaceAll(echoes(r), "\n", ""))
			w.WriteHeader(http.StatusFound)
		},
		"odd success": func(w http.ResponseWriter, r *http.Request) { reply(w, http.StatusOK, echoes(r)) },
		"odd result": func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusOK, `{"ok": true, "result": {"enabled": `+quote(echoes(r))+`}}`)
		},
		"broken head": func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, echoes(r)+"\r\n\r\n")
			_ = conn.Close()
		},
	} {
		for _, mode := range []pikvm.AuthMode{pikvm.AuthHeaders, pikvm.AuthBasic, pikvm.AuthCookie} {
			for _, atLogin := range []bool{false, true} {
				t.Run(fmt.Sprint(name, " ", mode, " ", atLogin), func(t *testing.T) {
					t.Parallel()
					network := netem.New(nil)
					serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/api/auth/login" && !atLogin {
							w.Header().Set("Set-Cookie", "auth_token="+secretToken)
							reply(w, http.StatusOK, okEmpty)
							return
						}
						answer(w, r)
					})
					var log bytes.Buffer
					c := newClient(t, kvmHTTP, on(network, pikvm.Options{
						Password: secretPassword, TOTPSecret: secretTOTP, Auth: mode, Retry: &retry.Policy{MaxAttempts: 1},
						Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
					}))
					_, stateErr := c.ATX.State(t.Context())
					_, socketErr := c.DialSocket(t.Context(), "/api/ws")
					_, loginErr := c.Auth.Login(t.Context(), nil)
					for _, err := range []error{stateErr, socketErr, loginErr} {
						if err != nil {
							checkSilent(t, err, &log)
						}
					}
					if stateErr == nil {
						t.Error("no error")
					}
				})
			}
		}
	}
	t.Run("code", func(t *testing.T) {
		t.Parallel()
		network := netem.New(nil)
		serveHTTP(t, network, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusBadRequest, `{"ok": false, "result": {"error": "E", "error_msg": "code 987654 is used up"}}`)
		})
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{
			Password: secretPassword,
			TOTPCode: func(context.Context) (string, error) { return "987654", nil },
		}))
		_, err := c.ATX.State(t.Context())
		if err == nil || strings.Contains(err.Error(), "987654") {
			t.Errorf("the code is in %v", err)
		}
	})
	t.Run("dial", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, kvmHTTP, &pikvm.Options{
			Password: secretPassword,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, errors.New("proxy says: no route for " + secretPassword)
			},
		})
		_, err := c.ATX.State(t.Context())
		checkSilent(t, err, new(bytes.Buffer))
		_, err = c.DialSocket(t.Context(), "/api/ws")
		checkSilent(t, err, new(bytes.Buffer))
	})
}

// TestPrinting checks that options and clients may be printed.
func TestPrinting(t *testing.T) {
	t.Parallel()
	opts := pikvm.Options{Password: secretPassword, TOTPSecret: secretTOTP}
	c := newClient(t, kvmHTTPS, &opts)
	login := pikvm.LoginOptions{User: "guest", Password: secretPassword, Code: "123456"}
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{
		slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil)),
	} {
		logger.Info("test", "opts", opts, "pointer", &opts, "login", login)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text := fmt.Sprintf(strings.Repeat(verb+" ", 5), opts, &opts, login, c, *c.Auth) + log.String()
		if strings.Contains(text, secretPassword) || strings.Contains(text, secretTOTP) || strings.Contains(text, "123456") {
			t.Errorf("a secret is in %s", text)
		}
	}
	if got, want := opts.String(), `pikvm.Options{User: "admin", Auth: headers}`; got != want {
		t.Errorf("options are %s, want %s", got, want)
	}
}
