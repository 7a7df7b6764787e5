package pikvmtest

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode"
)

var errEDIDUnknown = &apiError{http.StatusBadRequest, "SwitchUnknownEdidError", "No specified EDID ID found"}

// edid is the identity of a display.
type edid struct {
	Name   string      `json:"name"`
	Data   string      `json:"data"`
	Parsed *edidParsed `json:"parsed"`
}

type edidParsed struct {
	Manufacturer  string  `json:"mfc_id"`
	Product       int     `json:"product_id"`
	Serial        int64   `json:"serial"`
	MonitorName   *string `json:"monitor_name"`
	MonitorSerial *string `json:"monitor_serial"`
	Audio         bool    `json:"audio"`
}

func (k *kvmSwitch) createEDID(c *call) error {
	name, err := c.arg("name").edidName()
	if err != nil {
		return err
	}
	data, err := c.arg("data").edidData()
	if err != nil {
		return err
	}
	id := newUUID()
	k.mu.Lock()
	k.edids[id] = k.newEDID(name, data)
	k.publish("edids")
	k.mu.Unlock()
	return c.ok(map[string]string{"id": id})
}

func (k *kvmSwitch) changeEDID(c *call) error {
	id, err := c.arg("id").edidID(false)
	if err != nil {
		return err
	}
	name, data := c.arg("name"), c.arg("data")
	if name.set {
		if name.value, err = name.edidName(); err != nil {
			return err
		}
	}
	if data.set {
		if data.value, err = data.edidData(); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.edids[id]
	if !ok {
		return errEDIDUnknown
	}
	if name.set {
		e.Name = name.value
	}
	if data.set {
		e = k.newEDID(e.Name, data.value)
	}
	k.edids[id] = e
	k.publish("edids")
	return c.ok(nil)
}

func (k *kvmSwitch) removeEDID(c *call) error {
	id, err := c.arg("id").edidID(false)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.edids[id]; !ok {
		return errEDIDUnknown
	}
	delete(k.edids, id)
	for i := range k.ports {
		if k.ports[i].edid == id {
			k.ports[i].edid = switchDefault
		}
	}
	k.publish("edids")
	return c.ok(nil)
}

func (k *kvmSwitch) knows(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.edids[id]
	return ok
}

// newEDID is called with mu held. The data of the default one were made neutral when they were recorded, and say less
// than the device read from them.
func (k *kvmSwitch) newEDID(name, data string) edid {
	if usual := k.edids[switchDefault]; usual.Data == data {
		return edid{name, data, usual.Parsed}
	}
	return edid{name, data, parseEDID(data)}
}

// parseEDID reads the identity (VESA E-EDID, sections 3.4 and 3.10.3). Nil is something else.
func parseEDID(data string) *edidParsed {
	raw, err := hex.DecodeString(data)
	if err != nil || string(raw[:8]) != "\x00\xff\xff\xff\xff\xff\xff\x00" {
		return nil
	}
	maker := binary.BigEndian.Uint16(raw[8:])
	p := &edidParsed{
		Manufacturer: string([]byte{letter(maker >> 10), letter(maker >> 5), letter(maker)}),
		Product:      int(binary.LittleEndian.Uint16(raw[10:])),
		Serial:       int64(binary.LittleEndian.Uint32(raw[12:])),
	}
	for at := 54; at+18 <= 126; at += 18 {
		d := raw[at : at+18]
		if d[0] != 0 || d[1] != 0 || d[2] != 0 {
			continue // a timing
		}
		text, _, _ := strings.Cut(string(d[5:]), "\n")
		text = strings.TrimSpace(text)
		switch d[3] {
		case 0xfc:
			p.MonitorName = &text
		case 0xff:
			p.MonitorSerial = &text
		}
	}
	p.Audio = len(raw) > 131 && raw[128] == 2 && raw[131]&0x40 != 0 // CTA-861, section 7.5
	return p
}

func letter(bits uint16) byte { return byte('A' - 1 + bits&31) }

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

var uuidPattern = regexp.MustCompile(`\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z`)

// edidID is the id of an EDID.
func (a arg) edidID(allowDefault bool) (string, error) {
	s, err := a.text("switch EDID ID", 256)
	if err != nil {
		return "", err
	}
	if s = strings.ToLower(s); !uuidPattern.MatchString(s) && (s != switchDefault || !allowDefault) {
		return "", invalid("The argument %s is not a valid switch EDID ID", pyRepr(s))
	}
	return s, nil
}

// edidName is a text that is not empty.
func (a arg) edidName() (string, error) {
	s, err := a.text("not empty stripped string", 4096)
	if err != nil {
		return "", err
	}
	if s == "" {
		return "", invalid("None argument is not a valid not empty stripped string")
	}
	return s, nil
}

func (a arg) edidData() (string, error) {
	s, err := a.text("switch EDID data", 1024)
	if err != nil {
		return "", err
	}
	s = strings.ToUpper(strings.Join(strings.FieldsFunc(s, unicode.IsSpace), ""))
	if len(s) != 256 && len(s) != 512 || strings.Trim(s, "0123456789ABCDEF") != "" {
		return "", invalid("The argument %s is not a valid switch EDID data", pyRepr(s))
	}
	return s, nil
}
