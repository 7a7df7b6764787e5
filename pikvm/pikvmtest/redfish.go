package pikvmtest

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// redfish is the interface for servers in general, with the faults that the device has there.
type redfish struct{ s *Server }

var (
	errNoSystem  = &apiError{http.StatusBadRequest, "HttpError", "Missing or invalid Server ID"}
	errNoPort    = &apiError{http.StatusBadRequest, "HttpError", "Non-existent Switch Port ID"}
	errBadReset  = &apiError{http.StatusBadRequest, "HttpError", "Missing or invalid ResetType"}
	errBadFormat = &apiError{http.StatusBadRequest, "HttpError", "Invalid body"}
)

const (
	redfishRoot = "/redfish/v1"
	redfishMSD  = redfishRoot + "/Managers/BMC/VirtualMedia/MSD"
)

// resetActions are the ATX actions behind the types of resets.
var resetActions = map[string]string{
	"On": "on", "ForceOn": "on", "ForceOff": "off_hard", "GracefulShutdown": "off", "ForceRestart": "reset_hard",
	"PushPowerButton": "click",
}

// resetTypes are in the order of the document.
var resetTypes = []string{"On", "ForceOff", "GracefulShutdown", "ForceRestart", "ForceOn", "PushPowerButton"}

func (f *redfish) announce() {}

func (f *redfish) routes(k *router) {
	k.addPublic(http.MethodGet, redfishRoot, f.root)
	k.add(http.MethodGet, redfishRoot+"/Systems", f.systems)
	k.add(http.MethodGet, redfishRoot+"/Systems/"+anySystem, f.system)
	k.add(http.MethodPatch, redfishRoot+"/Systems/"+anySystem, noContent)
	k.add(http.MethodPost, redfishRoot+"/Systems/"+anySystem+"/Actions/ComputerSystem.Reset", f.reset)
	k.add(http.MethodGet, redfishRoot+"/Managers", f.managers)
	k.add(http.MethodGet, redfishRoot+"/Managers/BMC", f.manager)
	if f.s.version.atLeast(4, 132) {
		k.add(http.MethodGet, redfishRoot+"/Managers/BMC/VirtualMedia", f.media)
		k.add(http.MethodGet, redfishMSD, f.drive)
		k.add(http.MethodPost, redfishMSD+"/Actions/VirtualMedia.InsertMedia", f.insert)
		k.add(http.MethodPost, redfishMSD+"/Actions/VirtualMedia.EjectMedia", f.eject)
	}
}

func (c *call) document(doc map[string]any) error {
	writeJSON(c.w, http.StatusOK, doc)
	return nil
}

func noContent(c *call) error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func ref(id string) map[string]any { return map[string]any{"@odata.id": id} }

func (f *redfish) root(c *call) error {
	doc := ref(redfishRoot)
	doc["@odata.type"], doc["Id"], doc["Name"] = "#ServiceRoot.v1_6_0.ServiceRoot", "RootService", "Root Service"
	doc["RedfishVersion"] = "1.6.0"
	doc["Systems"], doc["Managers"] = ref(redfishRoot+"/Systems"), ref(redfishRoot+"/Managers")
	return c.document(doc)
}

func collection(id, kind, name string, members ...any) map[string]any {
	doc := ref(id)
	doc["@odata.type"], doc["Name"] = "#"+kind+"."+kind, name
	doc["Members"], doc["Members@odata.count"] = append([]any{}, members...), len(members)
	return doc
}

func (f *redfish) systems(c *call) error {
	var members []any
	if !f.s.atx.disabled {
		members = append(members, ref(redfishRoot+"/Systems/0"))
	}
	if f.s.version.atLeast(4, 130) {
		for i := range f.s.kvmSwitch.ports {
			members = append(members, ref(redfishRoot+"/Systems/SwitchPort"+strconv.Itoa(i)))
		}
	}
	return c.document(collection(redfishRoot+"/Systems", "ComputerSystemCollection", "Computer System Collection", members...))
}

var switchPortID = regexp.MustCompile(`\ASwitchPort([0-9]{1,9})\z`)

// target is the system that a path names; port is -1 for the host.
func (f *redfish) target(c *call) (id string, port int, err error) {
	parts := systemPath.FindStringSubmatch(daemonPath(c.r.URL.EscapedPath()))
	id = parts[2]
	if id == "0" {
		return id, -1, nil
	}
	m := switchPortID.FindStringSubmatch(id)
	if m == nil || !f.s.version.atLeast(4, 130) {
		return "", 0, errNoSystem
	}
	port, _ = strconv.Atoi(m[1]) // nine digits
	return id, port, nil
}

func (f *redfish) system(c *call) error {
	id, port, err := f.target(c)
	if err != nil {
		return err
	}
	on, err := f.power(port)
	if err != nil {
		return err
	}
	state := "Off"
	if on {
		state = "On"
	}
	doc := ref(redfishRoot + "/Systems/" + id)
	actions := redfishRoot + "/Systems/" + id + "/Actions/ComputerSystem."
	doc["@odata.type"], doc["Id"], doc["HostName"] = "#ComputerSystem.v1_10_0.ComputerSystem", id, "pikvm"
	doc["PowerState"] = state
	doc["Boot"] = map[string]any{"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": nil}
	doc["Actions"] = map[string]any{
		"#ComputerSystem.Reset": map[string]any{
			"ResetType@Redfish.AllowableValues": resetTypes, "target": actions + "Reset",
		},
		"#ComputerSystem.SetDefaultBootOrder": map[string]any{"target": actions + "SetDefaultBootOrder"},
	}
	return c.document(doc)
}

func (f *redfish) power(port int) (bool, error) {
	if port < 0 {
		f.s.atx.mu.Lock()
		defer f.s.atx.mu.Unlock()
		return f.s.atx.state().powerLED, nil
	}
	k := f.s.kvmSwitch
	k.mu.Lock()
	defer k.mu.Unlock()
	if port >= len(k.ports) {
		return false, errNoPort
	}
	return k.ports[port].power, nil
}

func (f *redfish) reset(c *call) error {
	_, port, err := f.target(c)
	if err != nil {
		return err
	}
	var params struct{ ResetType string }
	if !c.params(&params) || resetActions[params.ResetType] == "" {
		return errBadReset
	}
	action := resetActions[params.ResetType]
	button := map[string]string{
		"on": "power", "off": "power", "click": "power", "off_hard": "power_long", "reset_hard": "reset",
	}[action]
	allowed := func(lit bool) bool { return action == "click" || lit != (action == "on") }
	if port < 0 {
		if !f.s.atx.disabled {
			if _, err := f.s.atx.begin(button, allowed); err != nil {
				return err
			}
		}
		return noContent(c)
	}
	k := f.s.kvmSwitch
	k.later(port, func(p *switchPort) []string {
		if !allowed(p.power) {
			return nil
		}
		return k.press(p, button)
	})
	return noContent(c)
}

// params reads the body, whatever its type is said to be.
func (c *call) params(into any) bool {
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	return err == nil && json.Unmarshal(body, into) == nil
}

func (f *redfish) managers(c *call) error {
	return c.document(collection(redfishRoot+"/Managers", "ManagerCollection", "Manager Collection",
		ref(redfishRoot+"/Managers/BMC")))
}

func (f *redfish) manager(c *call) error {
	doc := ref(redfishRoot + "/Managers/BMC")
	doc["@odata.type"], doc["Id"], doc["ManagerType"] = "#Manager.v1_15_0.Manager", "BMC", "BMC"
	doc["Name"], doc["Description"] = "PiKVM Manager", "PiKVM Baseboard Management Controller"
	if f.s.version.atLeast(4, 132) {
		doc["VirtualMedia"] = ref(redfishRoot + "/Managers/BMC/VirtualMedia")
	}
	return c.document(doc)
}

func (f *redfish) media(c *call) error {
	return c.document(collection(redfishRoot+"/Managers/BMC/VirtualMedia", "VirtualMediaCollection",
		"Virtual Media Collection", ref(redfishMSD)))
}

func (f *redfish) drive(c *call) error {
	m := f.s.msd
	m.mu.Lock()
	d, online, busy := m.drive, m.online, m.busy
	m.mu.Unlock()
	doc := ref(redfishMSD)
	doc["@odata.type"], doc["Id"] = "#VirtualMedia.v1_4_0.VirtualMedia", "MSD"
	doc["Name"], doc["Description"] = "Virtual CD/DVD/Flash Drive", "PiKVM Virtual CD/DVD/Flash Drive"
	doc["MediaTypes"] = []string{"USBStick", "CD", "DVD"}
	doc["Actions"] = map[string]any{
		"#VirtualMedia.EjectMedia": map[string]any{"target": redfishMSD + "/Actions/VirtualMedia.EjectMedia"},
		"#VirtualMedia.InsertMedia": map[string]any{
			"Image@Redfish.AllowableValues": []string{"URI"}, "target": redfishMSD + "/Actions/VirtualMedia.InsertMedia",
		},
	}
	oem := map[string]any{
		"@odata.context": "/redfish/v1/$metadata#PiKVMVirtualMedia.PiKVMVirtualMedia",
		"@odata.type":    "#PiKVMVirtualMedia.v1_0_0.PiKVMVirtualMedia",
		"MsdEnabled":     !m.opts.Disabled, "MsdOnline": online, "MsdBusy": busy, "DriveOptical": nil,
	}
	doc["Oem"] = map[string]any{"PiKVM": oem}
	for _, name := range []string{"Image", "ImageName", "ConnectedVia", "Inserted", "WriteProtected"} {
		doc[name] = nil
	}
	if online {
		oem["DriveOptical"] = d.cdrom
		doc["ConnectedVia"], doc["Inserted"] = "NotConnected", d.connected
		doc["WriteProtected"] = d.rw // the wrong way round
		if d.connected {
			doc["ConnectedVia"] = "Oem"
		}
		if d.image != "" {
			doc["Image"], doc["ImageName"] = d.image, d.image
		}
	}
	return c.document(doc)
}

func (f *redfish) insert(c *call) error {
	var params struct {
		Image          *string
		Inserted       *bool
		WriteProtected *bool
	}
	if !c.params(&params) {
		return errBadFormat
	}
	if params.Image == nil {
		_, err := arg{}.imageArg()
		return err
	}
	name, err := validImageName(strings.TrimSpace(*params.Image))
	if err != nil {
		return err
	}
	m := f.s.msd
	m.mu.Lock()
	online := m.online
	m.mu.Unlock()
	if !online {
		return errTrouble
	}
	cdrom := false
	err = m.brief(func() error { return m.setDrive(arg{name, true}, &cdrom, params.WriteProtected) })
	if err == nil && (params.Inserted == nil || *params.Inserted) {
		err = m.brief(func() error { return m.plug(true) })
	}
	if err != nil {
		return err
	}
	return noContent(c)
}

func (f *redfish) eject(c *call) error {
	m := f.s.msd
	err := m.brief(func() error {
		if err := m.plug(false); err != nil {
			return err
		}
		return m.setDrive(arg{"", true}, nil, nil)
	})
	if err != nil {
		return err
	}
	return noContent(c)
}
