package pikvmtest

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Times of the mass storage.
const (
	msdListing = 975 * time.Millisecond // from a change until the list of images shows it
	msdRemoval = 500 * time.Millisecond // in which a removed image still keeps its name
	msdReport  = time.Second            // between two events of a transfer
	msdChunk   = 64 << 10
)

var (
	errMSDBusy         = &apiError{http.StatusConflict, "MsdIsBusyError", "Performing another MSD operation, please try again later"}
	errMSDDisabled     = &apiError{http.StatusBadRequest, "MsdDisabledError", "MSD is disabled"}
	errMSDOffline      = &apiError{http.StatusBadRequest, "MsdOfflineError", "MSD is not found"}
	errMSDConnected    = &apiError{http.StatusBadRequest, "MsdConnectedError", "MSD is connected to Server, but shouldn't for this operation"}
	errMSDDisconnected = &apiError{http.StatusBadRequest, "MsdDisconnectedError", "MSD is disconnected from Server, but should be for this operation"}
	errMSDNotSelected  = &apiError{http.StatusBadRequest, "MsdImageNotSelected", "The image is not selected"}
	errMSDUnknown      = &apiError{http.StatusBadRequest, "MsdUnknownImageError", "The image is not found in the storage"}
	errMSDExists       = &apiError{http.StatusBadRequest, "MsdImageExistsError", "This image is already exists"}
	errMSDStatic       = &apiError{http.StatusBadRequest, "MsdImageStaticError", "This image can't be removed"}
	errMSDRemote       = &apiError{http.StatusBadRequest, "MsdRemoteDisabledError", "Remote images binding is disabled"}
	errMSDLocked       = &apiError{http.StatusBadRequest, "MsdLockedError", "MSD is locked on IO operation"}
)

// msd is the mass storage: images, and the drive that the host sees.
type msd struct {
	server  *Server
	opts    MSDOptions
	version version
	sched   *scheduler
	hub     *hub

	mu          sync.Mutex
	online      bool
	busy        bool
	locked      bool // the host holds the drive
	drive       drive
	images      map[string]*image
	removed     map[string]time.Time // when images were removed whose names are not free yet
	list        map[string]any       // of images, as last published
	uploading   *transfer
	downloading *transfer
	refresh     *job
	changed     notifier
}

// drive is what the host sees.
type drive struct {
	image     string // empty for none
	connected bool
	cdrom     bool
	rw        bool
}

// image is a file in the storage. It keeps its full size from the beginning.
type image struct {
	size     int64
	complete bool
	static   bool
	modified time.Time
	content  content
}

// transfer is an upload or a download.
type transfer struct {
	name     string
	size     int64
	done     int64
	reported time.Time
}

func newMSD(s *Server) *msd {
	m := &msd{
		server: s, opts: s.opts.MSD, version: s.version, sched: s.sched, hub: s.hub,
		online: !s.opts.MSD.Offline && !s.opts.MSD.Disabled,
		images: make(map[string]*image), removed: make(map[string]time.Time),
	}
	m.list = m.listing()
	return m
}

func (m *msd) routes(k *router) {
	k.add(http.MethodGet, "/msd", func(c *call) error {
		m.mu.Lock()
		state := m.state()
		m.mu.Unlock()
		return c.ok(state)
	})
	k.add(http.MethodPost, "/msd/set_params", m.setParams)
	k.add(http.MethodPost, "/msd/set_connected", m.setConnected)
	k.add(http.MethodPost, "/msd/write", m.write)
	k.add(http.MethodPost, "/msd/remove", m.remove)
	k.add(http.MethodPost, "/msd/reset", m.reset)
	if m.version.atLeast(3, 12) {
		k.add(http.MethodPost, "/msd/write_remote", m.writeRemote)
	}
	if m.version.atLeast(3, 124) {
		k.add(http.MethodGet, "/msd/read", m.read)
	}
}

func (m *msd) announce() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hub.broadcast(event{"msd", m.state()})
}

// state and all below are called with mu held.
func (m *msd) state() map[string]any {
	state := map[string]any{
		"enabled": !m.opts.Disabled, "online": m.online, "busy": m.busy, "drive": nil, "storage": nil,
	}
	if !m.online {
		return state
	}
	storage := map[string]any{
		"images": m.list, "uploading": m.uploading.wire("written"), "downloading": m.downloading.wire("readed"),
	}
	m.addParts(storage)
	state["drive"], state["storage"] = m.driveState(), storage
	return state
}

func (m *msd) driveState() map[string]any {
	state := map[string]any{"image": nil, "connected": m.drive.connected, "cdrom": m.drive.cdrom}
	if m.version.atLeast(3, 124) {
		state["rw"] = m.drive.rw
	}
	if m.drive.image != "" {
		shown := map[string]any{"name": m.drive.image, "in_storage": false, "complete": true, "size": 0, "mod_ts": 0.0}
		if i, ok := m.images[m.drive.image]; ok {
			shown = m.imageState(m.drive.image, i)
			shown["name"], shown["in_storage"] = m.drive.image, true
		}
		state["image"] = shown
	}
	return state
}

// imageState is an image in the shape of this version.
func (m *msd) imageState(name string, i *image) map[string]any {
	state := map[string]any{"complete": i.complete, "size": i.size, "mod_ts": seconds(i.modified)}
	if m.version.atLeast(3, 204) {
		state["removable"] = !i.static
	}
	if m.version.atLeast(4, 169) {
		state["writable"] = writable(name)
	}
	if !m.version.atLeast(3, 206) {
		state["name"] = name
	}
	return state
}

// writable reports whether the host may write to an image.
func writable(name string) bool { return !strings.HasSuffix(name, ".iso") }

// seconds is an instant as the device writes it.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// listing is the list of images as it should be.
func (m *msd) listing() map[string]any {
	list := make(map[string]any, len(m.images))
	for name, i := range m.images {
		list[name] = m.imageState(name, i)
	}
	return list
}

// addParts tells how much room there is.
func (m *msd) addParts(storage map[string]any) {
	part := map[string]any{"size": m.opts.Capacity, "free": m.free()}
	if m.version.atLeast(4, 169) {
		part["writable"] = true
	}
	if !m.version.atLeast(3, 206) {
		storage["size"], storage["free"] = part["size"], part["free"]
		return
	}
	parts := map[string]any{"": part}
	for _, dir := range m.opts.Directories {
		parts[dir] = part
	}
	storage["parts"] = parts
}

func (m *msd) free() int64 {
	free := m.opts.Capacity
	if free == msdCapacity {
		free = msdFree
	}
	for _, i := range m.images {
		free -= i.size
	}
	return max(free, 0)
}

func (t *transfer) wire(done string) any {
	if t == nil {
		return nil
	}
	return map[string]any{"name": t.name, "size": t.size, done: t.done}
}

// publish sends a part of the state.
func (m *msd) publish(part map[string]any) {
	m.hub.broadcast(event{"msd", part})
	m.changed.wake()
}

func (m *msd) publishDrive() { m.publish(map[string]any{"drive": m.driveState()}) }

// relist publishes the list of images a while after a change, as the device finds it.
func (m *msd) relist() {
	if m.refresh != nil {
		return
	}
	m.refresh = m.sched.after(m.scaled(msdListing), func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.refresh = nil
		m.list = m.listing()
		storage := map[string]any{"images": m.list}
		m.addParts(storage)
		m.publish(map[string]any{"storage": storage})
	})
}

func (m *msd) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / m.server.opts.TimeScale)
}

// begin makes the storage busy. Its owner calls finish.
func (m *msd) begin() error {
	switch {
	case m.opts.Disabled:
		return errMSDDisabled
	case m.busy:
		return errMSDBusy
	}
	m.busy = true
	return nil
}

// usable is what all operations but set_connected need.
func (m *msd) usable() error {
	switch {
	case !m.online:
		return errMSDOffline
	case m.drive.connected:
		return errMSDConnected
	}
	return nil
}

// taken reports whether a name cannot be used for a new image.
func (m *msd) taken(name string) bool {
	if at, ok := m.removed[name]; ok && time.Since(at) < m.scaled(msdRemoval) {
		return true
	}
	delete(m.removed, name)
	return m.images[name] != nil
}

// hasDirectory reports whether the directory of an image exists.
func (m *msd) hasDirectory(name string) bool {
	dir := path.Dir(name)
	return dir == "." || slices.Contains(m.opts.Directories, dir)
}

// brief runs an operation that takes no time, unless another one is under way.
func (m *msd) brief(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(); err != nil {
		return err
	}
	m.busy = false
	return do()
}
