package pikvm

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

// Redfish is the part of the standard interface for servers (DMTF DSP0266) that the device has. What it does can be done
// with [ATX], [MSD] and [Switch] as well, and better. All methods may be called from several goroutines at once. The
// virtual media need version 4.132.
type Redfish struct{ c *Client }

// redfishRoot is where the documents are. The same ones are under /api too, with the same checks.
const redfishRoot = "/redfish/v1"

// HostSystem is the id of the host.
const HostSystem = "0"

// SwitchSystem returns the id of the host at a port of the switch, by the port's index. It needs version 4.130.
func SwitchSystem(port int) string { return "SwitchPort" + strconv.Itoa(port) }

// ResetType is what to do with the power of a system (DMTF DSP0268, Resource.ResetType).
type ResetType string

// Reset types of the PiKVM API. All but the last depend on the power LED as those of [ATX.Power] do.
const (
	ResetOn               ResetType = "On"
	ResetForceOn          ResetType = "ForceOn" // the same
	ResetForceOff         ResetType = "ForceOff"
	ResetGracefulShutdown ResetType = "GracefulShutdown"
	ResetForceRestart     ResetType = "ForceRestart"
	ResetPushPowerButton  ResetType = "PushPowerButton"
)

// Root asks for the root document. It is the only one that the device shows to everybody.
func (r *Redfish) Root(ctx context.Context) (*RedfishRoot, error) {
	return redfishGet[RedfishRoot](ctx, r, "redfish.Root", "")
}

// Systems asks for the list of hosts. It is empty on a device without ATX control.
func (r *Redfish) Systems(ctx context.Context) (*RedfishCollection, error) {
	return redfishGet[RedfishCollection](ctx, r, "redfish.Systems", "/Systems")
}

// System asks for a host, [HostSystem] or a [SwitchSystem]. One that is not there is [ErrInvalidArgument].
func (r *Redfish) System(ctx context.Context, id string) (*RedfishSystem, error) {
	const op = "redfish.System"
	if !systemID.MatchString(id) {
		return nil, configurationError(op, "id", "neither 0 nor SwitchPort with a number")
	}
	return redfishGet[RedfishSystem](ctx, r, op, "/Systems/"+id)
}

// UpdateSystem sends settings of a host, a JSON object. The device accepts anything for any host and changes nothing.
func (r *Redfish) UpdateSystem(ctx context.Context, id string, settings json.RawMessage) error {
	const op = "redfish.UpdateSystem"
	switch {
	case !systemID.MatchString(id):
		return configurationError(op, "id", "neither 0 nor SwitchPort with a number")
	case !json.Valid(settings) || jsonKind(settings) != "object":
		return configurationError(op, "settings", "not a JSON object")
	case len(settings) > maxRedfishBody:
		return configurationError(op, "settings", "over 4096 bytes")
	}
	return r.send(ctx, op, http.MethodPatch, "/Systems/"+id, settings)
}

// Reset performs a power action on a host. A busy line is [ErrBusy]. On a device without ATX control, and for a port that
// is not there, the device does nothing and says nothing.
//
// The press is not repeated when its answer is lost, since it may have happened.
func (r *Redfish) Reset(ctx context.Context, id string, reset ResetType) error {
	const op = "redfish.Reset"
	if !systemID.MatchString(id) {
		return configurationError(op, "id", "neither 0 nor SwitchPort with a number")
	}
	switch reset {
	case ResetOn, ResetForceOn, ResetForceOff, ResetGracefulShutdown, ResetForceRestart, ResetPushPowerButton:
	default:
		return configurationError(op, "reset", "unknown")
	}
	return r.action(ctx, op, "/Systems/"+id+"/Actions/ComputerSystem.Reset", map[string]any{"ResetType": reset})
}

// Managers asks for the list of managers: the device itself.
func (r *Redfish) Managers(ctx context.Context) (*RedfishCollection, error) {
	return redfishGet[RedfishCollection](ctx, r, "redfish.Managers", "/Managers")
}

// Manager asks for the device itself.
func (r *Redfish) Manager(ctx context.Context) (*RedfishManager, error) {
	return redfishGet[RedfishManager](ctx, r, "redfish.Manager", "/Managers/BMC")
}

// VirtualMedia asks for the list of drives: the one of [MSD].
func (r *Redfish) VirtualMedia(ctx context.Context) (*RedfishCollection, error) {
	return redfishGet[RedfishCollection](ctx, r, "redfish.VirtualMedia", "/Managers/BMC/VirtualMedia")
}

// Drive asks for the drive of [MSD].
func (r *Redfish) Drive(ctx context.Context) (*RedfishDrive, error) {
	return redfishGet[RedfishDrive](ctx, r, "redfish.Drive", redfishDrive)
}

const redfishDrive = "/Managers/BMC/VirtualMedia/MSD"

// InsertMedia shows an image to the host, by its name on the device, always as a flash drive. WriteProtected is what the
// device takes as such. A connected drive is [ErrPrecondition], an unknown image [ErrNotFound]. A device whose storage is
// away or disabled answers HTTP 500. [MSD.Mount] does it with less surprise.
func (r *Redfish) InsertMedia(ctx context.Context, image string, writeProtected bool) error {
	const op = "redfish.InsertMedia"
	if reason := checkImageName(image); reason != "" {
		return configurationError(op, "image", reason)
	}
	return r.action(ctx, op, redfishDrive+"/Actions/VirtualMedia.InsertMedia", map[string]any{
		"Image": image, "Inserted": true, "WriteProtected": writeProtected,
	})
}

// EjectMedia plugs the drive out and deselects the image. A drive that is out is [ErrPrecondition].
func (r *Redfish) EjectMedia(ctx context.Context) error {
	return r.action(ctx, "redfish.EjectMedia", redfishDrive+"/Actions/VirtualMedia.EjectMedia", map[string]any{})
}

// maxRedfishBody is what the web server of the device lets through, in bytes.
const maxRedfishBody = 4096

var systemID = regexp.MustCompile(`\A(0|SwitchPort[0-9]{1,9})\z`)

// redfishGet asks for a document.
func redfishGet[T any](ctx context.Context, r *Redfish, op, path string) (*T, error) {
	k := call{op: op, method: http.MethodGet, path: redfishRoot + path}
	document := new(T)
	do := func(ctx context.Context) error {
		a, err := r.c.fetch(ctx, &k)
		if err != nil {
			return err
		}
		if err := decodeRedfish(a.body, document); err != nil {
			return r.c.responseError(&k, a, err)
		}
		return nil
	}
	var err error
	if r.c.retry == nil {
		err = do(ctx)
	} else {
		err = r.c.repeat(ctx, op, r.c.retry, do)
	}
	if err != nil {
		return nil, err
	}
	return document, nil
}

// action performs an action with its parameters.
func (r *Redfish) action(ctx context.Context, op, path string, params map[string]any) error {
	body, err := json.Marshal(params)
	switch {
	case err != nil:
		return configurationError(op, "parameters", "not JSON")
	case len(body) > maxRedfishBody:
		return configurationError(op, "parameters", "over 4096 bytes")
	}
	return r.send(ctx, op, http.MethodPost, path, body)
}

func (r *Redfish) send(ctx context.Context, op, method, path string, body []byte) error {
	k := call{op: op, method: method, path: redfishRoot + path, query: url.Values{}, json: body}
	return r.c.invoke(ctx, &k, nil)
}
