package exit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// TestCode checks the code of every sort of error, also below another error.
func TestCode(t *testing.T) {
	t.Parallel()
	info := func(class *errkit.Class, kind errkit.Kind, cause error) errkit.Info {
		return errkit.Info{Class: class, Kind: kind, Err: cause}
	}
	for _, tc := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, exit.OK},
		{"anything else", errors.New("no room"), exit.Failed},
		{"an answer", pikvm.ErrAPI, exit.Failed},
		{"not found", pikvm.ErrNotFound, exit.Failed},
		{"unavailable", pikvm.ErrUnavailable, exit.Failed},
		{"response", pikvm.ErrResponse, exit.Failed},
		{"redirect", pikvm.ErrRedirect, exit.Failed},
		{"usage", exit.Usagef("no"), exit.Usage},
		{"usage beside credentials", exit.AsUsage(pikvm.ErrAuth), exit.Usage},
		{"configuration", pikvm.ErrConfiguration, exit.Usage},
		{"credentials", pikvm.ErrAuth, exit.Auth},
		{"not reached", pikvm.ErrConnect, exit.Connect},
		{"no answer", pikvm.ErrConnectionTimeout, exit.Connect},
		{"broken socket", pikvm.ErrWebSocket, exit.Connect},
		{"socket down", pikvm.ErrNotConnected, exit.Connect},
		{"busy", pikvm.ErrBusy, exit.Busy},
		{"LED too late", &pikvm.PowerError{Info: info(pikvm.ErrPower, errkit.Timeout, nil)}, exit.NotMet},
		{"power for another reason", &pikvm.PowerError{Info: info(pikvm.ErrPower, errkit.Conflict, nil)}, exit.Failed},
		{"list too late", &pikvm.MSDError{Info: info(pikvm.ErrMSD, errkit.Timeout, nil)}, exit.NotMet},
		{"short file", &pikvm.MSDError{Info: info(pikvm.ErrMSD, errkit.Invalid, nil)}, exit.Failed},
		{"text too late", &pikvm.ScreenError{Info: info(pikvm.ErrScreen, errkit.Timeout, nil)}, exit.NotMet},
		{"switch too late", exit.NotMetError("x"), exit.NotMet},
		{"interrupted", context.Canceled, exit.Interrupted},
		{"interrupted operation", &pikvm.PowerError{Info: info(pikvm.ErrPower, errkit.Canceled, context.Canceled)}, exit.Interrupted},
		{"another program", exit.StatusError(42), 42},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := exit.Code(tc.err); got != tc.want {
				t.Errorf("code %d, want %d", got, tc.want)
			}
			if tc.err == nil {
				return
			}
			if got := exit.Code(fmt.Errorf("rack1: %w", tc.err)); got != tc.want {
				t.Errorf("below another error: code %d, want %d", got, tc.want)
			}
		})
	}
}
