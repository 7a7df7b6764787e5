package pikvm_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestDeviceModes checks every mode of authentication, with and without codes, against a whole device.
func TestDeviceModes(t *testing.T) {
	t.Parallel()
	const secret = "JBSWY3DPEHPK3PXP"
	for _, mode := range []pikvm.AuthMode{pikvm.AuthHeaders, pikvm.AuthBasic, pikvm.AuthCookie} {
		for _, code := range []string{"", secret} {
			t.Run(mode.String()+" "+code, func(t *testing.T) {
				t.Parallel()
				inBubble(t, &pikvmtest.Options{TOTPSecret: code}, &pikvm.Options{Auth: mode, TOTPSecret: code},
					func(t *testing.T, f *fake) {
						for range 10 {
							if err := f.client.Auth.Check(t.Context()); err != nil {
								t.Fatal(err)
							}
							f.EndSessions()
							time.Sleep(13 * time.Second)
						}
						info, err := f.client.Info.Get(t.Context(), nil)
						if err != nil {
							t.Fatal(err)
						}
						if info.System == nil || !info.System.KVMD.AtLeast(4, 197) || info.Auth == nil || !info.Auth.Enabled {
							t.Errorf("info is %+v", info)
						}
					})
			})
			t.Run(mode.String()+" wrong "+code, func(t *testing.T) {
				t.Parallel()
				inBubble(t, &pikvmtest.Options{TOTPSecret: code}, &pikvm.Options{Auth: mode, TOTPSecret: code, Password: "wrong"},
					func(t *testing.T, f *fake) {
						_, err := f.client.ATX.State(t.Context())
						failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403}.check(t, err)
					})
			})
		}
		t.Run(mode.String()+" without authentication", func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{AuthDisabled: true}, &pikvm.Options{Auth: mode},
				func(t *testing.T, f *fake) {
					for range 2 {
						if _, err := f.client.ATX.State(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
				})
		})
	}
}

// TestDeviceClockSkew checks that a device whose clock is ahead by one step lets us in at any time: a code that is
// two steps old on arrival is replaced by the next one.
func TestDeviceClockSkew(t *testing.T) {
	t.Parallel()
	const secret = "JBSWY3DPEHPK3PXP"
	inBubble(t, &pikvmtest.Options{TOTPSecret: secret, ClockSkew: 30 * time.Second}, &pikvm.Options{TOTPSecret: secret},
		func(t *testing.T, f *fake) {
			time.Sleep(29 * time.Second) // to the end of a step
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultDelay, Delay: 2 * time.Second, Times: 1})
			if err := f.client.ATX.Click(t.Context(), pikvm.ButtonReset, nil); err != nil {
				t.Error(err)
			}
			if got := len(f.Requests()); got != 2 {
				t.Errorf("%d requests, want 2", got)
			}
		})
}

// TestDeviceSessionExpires checks that the client asks for the lifetime of its session and survives its end.
func TestDeviceSessionExpires(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{}, &pikvm.Options{Auth: pikvm.AuthCookie, SessionExpire: time.Minute},
		func(t *testing.T, f *fake) {
			for range 4 {
				if err := f.client.Auth.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(50 * time.Second)
			}
			logins := 0
			for _, r := range f.Requests() {
				if r.Path == "/api/auth/login" {
					logins++
				}
			}
			if logins != 2 {
				t.Errorf("%d logins, want 2", logins)
			}
		})
}

// TestDevicePresses checks presses against the model of the host.
func TestDevicePresses(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{}, &pikvm.Options{}, func(t *testing.T, f *fake) {
		ctx := t.Context()
		if err := f.client.ATX.Power(ctx, pikvm.PowerOn, nil); err != nil {
			t.Fatal(err)
		}
		err := f.client.ATX.Click(ctx, pikvm.ButtonPower, nil)
		failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy, Status: 409}.check(t, err)
		if err := f.client.ATX.Click(ctx, pikvm.ButtonReset, nil); err != nil {
			t.Errorf("the other line: %v", err)
		}
		begin := time.Now()
		if err := f.client.ATX.Click(ctx, pikvm.ButtonPowerLong, &pikvm.ATXOptions{Wait: true, BusyWait: 5 * time.Second}); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took < 7*time.Second {
			t.Errorf("a long press after a short one took %v", took)
		}
		state, err := f.client.ATX.State(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !state.Enabled || state.Busy || state.LEDs.Power || f.HostPower() {
			t.Errorf("state is %+v, host is on: %t", state, f.HostPower())
		}
	})
}

// TestDeviceRestart checks what a restart of the daemon does to requests, and that a policy gets over it.
func TestDeviceRestart(t *testing.T) {
	t.Parallel()
	policy := &retry.Policy{MaxAttempts: 10}
	inBubble(t, &pikvmtest.Options{}, &pikvm.Options{Auth: pikvm.AuthCookie, Retry: policy},
		func(t *testing.T, f *fake) {
			if err := f.client.Auth.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			all.Go(func() { f.Restart(5 * time.Second) })
			time.Sleep(time.Second)
			err := f.client.ATX.Click(t.Context(), pikvm.ButtonReset, nil)
			failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Unavailable, Status: 502}.check(t, err)
			if !errkit.Transient(err) {
				t.Errorf("error %v is not transient", err)
			}
			if _, err := f.client.ATX.State(t.Context()); err != nil {
				t.Errorf("with the policy: %v", err)
			}
			all.Wait()
		})
}

// TestDeviceFaults checks spoiled answers of a device that obeys.
func TestDeviceFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault pikvmtest.Fault
		want  error
		done  bool // the device pressed the button all the same
	}{
		"page":      {pikvmtest.Fault{Kind: pikvmtest.FaultPage}, errkit.Unavailable, false},
		"garbage":   {pikvmtest.Fault{Kind: pikvmtest.FaultGarbage}, pikvm.ErrResponse, false},
		"reset":     {pikvmtest.Fault{Kind: pikvmtest.FaultReset}, pikvm.ErrConnect, false},
		"hang":      {pikvmtest.Fault{Kind: pikvmtest.FaultHang}, pikvm.ErrConnectionTimeout, false},
		"lost":      {pikvmtest.Fault{Kind: pikvmtest.FaultLost}, pikvm.ErrConnect, true},
		"truncated": {pikvmtest.Fault{Kind: pikvmtest.FaultTruncate, Bytes: 5}, pikvm.Err, true},
		"slow":      {pikvmtest.Fault{Kind: pikvmtest.FaultSlow, Interval: time.Second}, pikvm.ErrConnectionTimeout, true},
		"oversize":  {pikvmtest.Fault{Kind: pikvmtest.FaultOversize, Bytes: 5 << 20}, pikvm.ErrResponse, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{}, &pikvm.Options{}, func(t *testing.T, f *fake) {
				f.Inject(tc.fault)
				err := f.client.ATX.Power(t.Context(), pikvm.PowerOn, nil)
				if !errors.Is(err, tc.want) || !errors.Is(err, pikvm.Err) {
					t.Errorf("error is %v, want %v", err, tc.want)
				}
				if errors.Is(err, errkit.NotSent) {
					t.Errorf("error %v claims that nothing was sent", err)
				}
				if got := f.HostPower(); got != tc.done {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					if err := f.WaitHostPower(ctx, tc.done); err != nil {
						t.Errorf("host is on: %t, want %t", got, tc.done)
					}
				}
				presses := 0
				for _, r := range f.Requests() {
					if r.Method == http.MethodPost {
						presses++
					}
				}
				if presses > 1 {
					t.Errorf("%d requests to press, want 1", presses)
				}
			})
		})
	}
}
