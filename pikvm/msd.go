package pikvm

import (
	"context"
	"net/url"
	"time"
)

// MSD keeps images of disks on the device and shows one of them to the host as a USB drive (mass storage device). All
// methods may be called from several goroutines at once, but the device performs one operation at a time and answers
// [ErrBusy] to all others.
//
// A device without such storage answers [ErrDisabled], one whose storage is away [ErrOffline].
type MSD struct{ c *Client }

// Defaults of the waits for an effect: the device publishes its list about a second after a change.
const (
	defaultListTimeout = 15 * time.Second
	listPoll           = 250 * time.Millisecond
)

// MSDParams are the settings of the drive: see [MSD.SetParams]. What is nil stays as it is.
type MSDParams struct {
	// Image is the name of the image to show, empty for none. A URL, such as "nbd://server/disk", names an image that
	// is not on the device; it needs version 4.177 and a device that allows it, others answer [ErrDisabled].
	Image *string

	// CDROM makes the drive a CD-ROM, otherwise it is a flash drive.
	CDROM *bool

	// Writable lets the host write. The device keeps it off, without a word, with CDROM and for an image that is not
	// writable, as those named *.iso are.
	Writable *bool

	// Extra holds further parameters for an image that is named by a URL.
	Extra url.Values
}

// State asks for the state. Errors are those of every request; see the package's documentation.
func (m *MSD) State(ctx context.Context) (*MSDState, error) { return m.state(ctx, "msd.State") }

func (m *MSD) state(ctx context.Context, op string) (*MSDState, error) {
	state := new(MSDState)
	if err := m.c.get(ctx, call{op: op, path: "/api/msd"}, state); err != nil {
		return nil, err
	}
	return state, nil
}

// SetParams changes the settings of the drive, which must not be connected ([ErrPrecondition]). An unknown image is
// [ErrNotFound]. Nil params change nothing. [MSD.Mount] does this and the rest.
func (m *MSD) SetParams(ctx context.Context, params *MSDParams) error {
	return m.setParams(ctx, "msd.SetParams", params)
}

func (m *MSD) setParams(ctx context.Context, op string, params *MSDParams) error {
	var p MSDParams
	if params != nil {
		p = *params
	}
	query := url.Values{}
	for name, values := range p.Extra {
		switch {
		case name == "image" || name == "cdrom" || name == "rw":
			return configurationError(op, "Extra", "holds a parameter that has a field of its own")
		case len(values) != 1:
			return configurationError(op, "Extra", "holds a parameter with several values or none")
		}
		query[name] = values
	}
	if p.Image != nil {
		if reason := checkDriveImage(*p.Image); reason != "" {
			return configurationError(op, "Image", reason)
		}
		query.Set("image", *p.Image)
	}
	setBool(query, "cdrom", p.CDROM)
	setBool(query, "rw", p.Writable)
	return m.c.post(ctx, call{op: op, path: "/api/msd/set_params", query: query})
}

// SetConnected plugs the drive in or out. Plugging in needs a selected image, and a drive that is in that state already
// is an error too: all these are [ErrPrecondition]. A host that holds the drive makes plugging out [ErrBusy]; devices
// before version 4.169 answer HTTP 500 then.
func (m *MSD) SetConnected(ctx context.Context, connected bool) error {
	return m.setConnected(ctx, "msd.SetConnected", connected)
}

func (m *MSD) setConnected(ctx context.Context, op string, connected bool) error {
	return m.c.post(ctx, call{op: op, path: "/api/msd/set_connected", query: url.Values{"connected": {flag(connected)}}})
}

// Reset plugs the drive out whatever the host does, deselects the image and starts the storage of the device anew.
func (m *MSD) Reset(ctx context.Context) error {
	return m.c.post(ctx, call{op: "msd.Reset", path: "/api/msd/reset"})
}

// flag returns a bool as the device reads it.
func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// setBool adds a parameter unless it is nil.
func setBool(query url.Values, name string, b *bool) {
	if b != nil {
		query.Set(name, flag(*b))
	}
}
