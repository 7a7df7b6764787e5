package pikvm_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestServerNames checks the class of every error that a device is known to name, and that its words come through.
func TestServerNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		status    int
		class     *errkit.Class
		transient bool
	}{
		{"UnauthorizedError", 401, pikvm.ErrAuth, false},
		{"ForbiddenError", 403, pikvm.ErrAuth, false},
		{"ValidatorError", 400, pikvm.ErrInvalidArgument, false},
		{"HttpError", 400, pikvm.ErrInvalidArgument, false},
		{"UnavailableError", 503, pikvm.ErrUnavailable, true},
		{"AtxIsBusyError", 409, pikvm.ErrBusy, true},
		{"AtxDisabledError", 400, pikvm.ErrDisabled, false},
		{"MsdIsBusyError", 409, pikvm.ErrBusy, true},
		{"MsdDisabledError", 400, pikvm.ErrDisabled, false},
		{"MsdOfflineError", 400, pikvm.ErrOffline, false},
		{"MsdConnectedError", 400, pikvm.ErrPrecondition, false},
		{"MsdDisconnectedError", 400, pikvm.ErrPrecondition, false},
		{"MsdImageNotSelected", 400, pikvm.ErrPrecondition, false},
		{"MsdUnknownImageError", 400, pikvm.ErrNotFound, false},
		{"MsdImageExistsError", 400, pikvm.ErrExists, false},
		{"MsdImageStaticError", 400, pikvm.ErrAPI, false},
		{"MsdRemoteDisabledError", 400, pikvm.ErrDisabled, false},
		{"MsdLockedError", 400, pikvm.ErrBusy, true},
		{"MsdPermissionsError", 400, pikvm.ErrAPI, false},
		{"GpioChannelIsBusyError", 409, pikvm.ErrBusy, true},
		{"GpioChannelNotFoundError", 400, pikvm.ErrNotFound, false},
		{"GpioSwitchNotSupported", 400, pikvm.ErrNotSupported, false},
		{"GpioPulseNotSupported", 400, pikvm.ErrNotSupported, false},
		{"GpioDriverOfflineError", 400, pikvm.ErrOffline, false},
		{"StreamerQualityNotSupported", 400, pikvm.ErrNotSupported, false},
		{"StreamerResolutionNotSupported", 400, pikvm.ErrNotSupported, false},
		{"StreamerH264NotSupported", 400, pikvm.ErrNotSupported, false},
		{"OcrError", 400, pikvm.ErrAPI, false},
		{"SwitchUnknownEdidError", 400, pikvm.ErrNotFound, false},
		{"LogReaderDisabledError", 400, pikvm.ErrDisabled, false},
		{"ClientResponseError", 400, pikvm.ErrAPI, false},
		{"ClientError", 400, pikvm.ErrAPI, false},
		{"ClientConnectorError", 400, pikvm.ErrAPI, false},
		{"ClientPayloadError", 400, pikvm.ErrAPI, false},
		{"ErrorOfTomorrow", 400, pikvm.ErrAPI, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			serveHTTP(t, network, func(w http.ResponseWriter, _ *http.Request) {
				reply(w, tc.status, fmt.Sprintf(`{"ok": false, "result": {"error": %q, "error_msg": "What happened"}}`, tc.name))
			})
			err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).MSD.Reset(t.Context())
			api, ok := errors.AsType[*pikvm.APIError](err)
			if !ok {
				t.Fatalf("error is %T: %v", err, err)
			}
			if api.Class != tc.class || errkit.Transient(err) != tc.transient || errors.Is(err, errkit.NotSent) {
				t.Errorf("error is %v, class %v, kinds %v", err, api.Class, errkit.KindOf(err).Names())
			}
			if api.StatusCode != tc.status || api.Code != tc.name || api.Message != "What happened" {
				t.Errorf("error holds %d %q %q", api.StatusCode, api.Code, api.Message)
			}
		})
	}
}
