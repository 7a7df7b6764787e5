package pikvm

import (
	"encoding/json"
	"path"
)

// RedfishRoot is the root document.
type RedfishRoot struct {
	ID, Name, Version string
	Raw               json.RawMessage // the whole document
}

// RedfishCollection is a list of documents.
type RedfishCollection struct {
	Name    string
	Members []string        // ids
	Raw     json.RawMessage // the whole document
}

// RedfishSystem is a host.
type RedfishSystem struct {
	ID       string
	HostName string          // that of the device
	Power    bool            // it is on, by the power LED
	Resets   []ResetType     // what [Redfish.Reset] may be asked for
	Raw      json.RawMessage // the whole document
}

// RedfishManager is the device.
type RedfishManager struct {
	ID, Name, Type string
	Raw            json.RawMessage // the whole document
}

// RedfishDrive is the drive of [MSD]. While its storage is away it looks empty.
type RedfishDrive struct {
	Image                 string // empty for none
	Inserted              bool
	Writable              bool // the document has it under "WriteProtected", the wrong way round
	Enabled, Online, Busy bool
	Optical               bool            // a CD-ROM
	Raw                   json.RawMessage // the whole document
}

// link refers to a document.
type link struct {
	ID string `json:"@odata.id"`
}

// decodeRedfish reads a document, which must say which one it is: anything else that is JSON would do otherwise.
func decodeRedfish(body []byte, document any) error {
	var self link
	if err := json.Unmarshal(body, &self); err != nil {
		return err
	}
	if self.ID == "" {
		return missing("@odata.id")
	}
	return json.Unmarshal(body, document)
}

// UnmarshalJSON reads the document.
func (r *RedfishRoot) UnmarshalJSON(data []byte) error {
	var wire struct {
		ID      string `json:"Id"`
		Name    string `json:"Name"`
		Version string `json:"RedfishVersion"`
	}
	err := json.Unmarshal(data, &wire)
	*r = RedfishRoot{wire.ID, wire.Name, wire.Version, append(json.RawMessage(nil), data...)}
	return err
}

// UnmarshalJSON reads the document.
func (c *RedfishCollection) UnmarshalJSON(data []byte) error {
	var wire struct {
		Name    string  `json:"Name"`
		Members *[]link `json:"Members"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Members == nil {
		return missing("Members")
	}
	*c = RedfishCollection{Name: wire.Name, Raw: append(json.RawMessage(nil), data...)}
	for _, member := range *wire.Members {
		c.Members = append(c.Members, path.Base(member.ID))
	}
	return nil
}

// UnmarshalJSON reads the document. The power state must be there.
func (s *RedfishSystem) UnmarshalJSON(data []byte) error {
	var wire struct {
		ID       string `json:"Id"`
		HostName string `json:"HostName"`
		Power    string `json:"PowerState"`
		Actions  struct {
			Reset struct {
				Values []ResetType `json:"ResetType@Redfish.AllowableValues"`
			} `json:"#ComputerSystem.Reset"`
		} `json:"Actions"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Power == "" {
		return missing("PowerState")
	}
	*s = RedfishSystem{
		ID: wire.ID, HostName: wire.HostName, Power: wire.Power == "On", Resets: wire.Actions.Reset.Values,
		Raw: append(json.RawMessage(nil), data...),
	}
	return nil
}

// UnmarshalJSON reads the document.
func (m *RedfishManager) UnmarshalJSON(data []byte) error {
	var wire struct {
		ID   string `json:"Id"`
		Name string `json:"Name"`
		Type string `json:"ManagerType"`
	}
	err := json.Unmarshal(data, &wire)
	*m = RedfishManager{wire.ID, wire.Name, wire.Type, append(json.RawMessage(nil), data...)}
	return err
}

// UnmarshalJSON reads the document.
func (d *RedfishDrive) UnmarshalJSON(data []byte) error {
	var wire struct {
		Image     *string `json:"Image"`
		Inserted  loose   `json:"Inserted"`
		Protected loose   `json:"WriteProtected"`
		OEM       struct {
			PiKVM struct {
				Enabled loose `json:"MsdEnabled"`
				Online  loose `json:"MsdOnline"`
				Busy    loose `json:"MsdBusy"`
				Optical loose `json:"DriveOptical"`
			} `json:"PiKVM"`
		} `json:"Oem"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	oem := wire.OEM.PiKVM
	*d = RedfishDrive{
		Inserted: wire.Inserted.bool(), Writable: wire.Protected.bool(),
		Enabled: oem.Enabled.bool(), Online: oem.Online.bool(), Busy: oem.Busy.bool(), Optical: oem.Optical.bool(),
		Raw: append(json.RawMessage(nil), data...),
	}
	if wire.Image != nil {
		d.Image = *wire.Image
	}
	return nil
}
