package pikvm

import (
	"encoding/json"
	"math"
	"time"
)

// MSDState is the state of the mass storage.
type MSDState struct {
	// Enabled is false if the device has no mass storage.
	Enabled bool

	// Online is false while the storage is away; then Drive and Storage are nil.
	Online bool

	// Busy says that an operation is under way: all others are refused.
	Busy bool

	// Drive is the drive that the host sees.
	Drive *MSDDrive

	// Storage is where the images are.
	Storage *MSDStorage

	// Raw is the whole object as the device sent it.
	Raw json.RawMessage
}

// MSDDrive is the drive that the host sees while it is connected.
type MSDDrive struct {
	Image     *MSDImage // the selected one; nil for none
	Connected bool
	CDROM     bool
	Writable  bool // by the host
}

// MSDImage is an image. Devices before version 4.169 do not tell whether it is writable, nor before 3.204 whether it is
// removable: both are true then.
type MSDImage struct {
	Name      string
	Complete  bool // false while it is written, and when that was broken off
	Removable bool
	Writable  bool
	InStorage bool  // false only for the selected image that has been removed, or is not on the device
	Size      int64 // in bytes; the full size from the beginning of an upload on
	Modified  time.Time
}

// Ghost reports whether the image is one that has been removed: the device lists it without size and time for about a
// second more, and as complete.
func (i MSDImage) Ghost() bool { return i.Size == 0 && i.Modified.IsZero() }

// MSDStorage is where the images are.
type MSDStorage struct {
	Images      map[string]MSDImage // by name; one with a slash is in a part of its own
	Parts       map[string]MSDPart  // by directory, "" for the main one
	Uploading   *MSDTransfer        // nil for none
	Downloading *MSDTransfer        // nil for none
}

// MSDPart is a file system that holds images.
type MSDPart struct {
	Size, Free int64 // in bytes
	Writable   bool
}

// MSDTransfer is an upload to the device, or a download from it, as the device sees it.
type MSDTransfer struct {
	Name string
	Size int64 // in bytes
	Done int64 // in bytes
}

// MSD returns the mass storage, and false as long as the device has not told it in a readable form; [State.Decode] says
// what is wrong.
func (s *State) MSD() (*MSDState, bool) { return decodePart[MSDState](s, EventMSD) }

// Wire forms. Pointers are members that some versions do not send.
type (
	wireImage struct {
		Name      string `json:"name"`
		Complete  *loose `json:"complete"`
		Removable *loose `json:"removable"`
		Writable  *loose `json:"writable"`
		InStorage *loose `json:"in_storage"`
		Size      loose  `json:"size"`
		ModTS     loose  `json:"mod_ts"`
	}
	wirePart struct {
		Size     loose  `json:"size"`
		Free     loose  `json:"free"`
		Writable *loose `json:"writable"`
	}
	wireTransfer struct {
		Name    string `json:"name"`
		Size    loose  `json:"size"`
		Written loose  `json:"written"`
		Readed  loose  `json:"readed"` // the spelling is on the wire
	}
)

// UnmarshalJSON reads the state as the device sends it, whatever its version. Enabled must be there.
func (s *MSDState) UnmarshalJSON(data []byte) error {
	var wire struct {
		Enabled *loose `json:"enabled"`
		Online  loose  `json:"online"`
		Busy    loose  `json:"busy"`
		Drive   *struct {
			Image     *wireImage `json:"image"`
			Connected *loose     `json:"connected"`
			CDROM     loose      `json:"cdrom"`
			RW        loose      `json:"rw"`
		} `json:"drive"`
		Storage *struct {
			Images      map[string]wireImage `json:"images"`
			Parts       map[string]wirePart  `json:"parts"`
			Uploading   *wireTransfer        `json:"uploading"`
			Downloading *wireTransfer        `json:"downloading"`
			wirePart                         // before version 3.206
		} `json:"storage"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Enabled == nil {
		return missing("enabled")
	}
	state := MSDState{
		Enabled: wire.Enabled.bool(),
		Online:  wire.Online.bool(),
		Busy:    wire.Busy.bool(),
		Raw:     append(json.RawMessage(nil), data...),
	}
	if d := wire.Drive; d != nil {
		if d.Connected == nil {
			return missing("drive.connected")
		}
		state.Drive = &MSDDrive{Connected: d.Connected.bool(), CDROM: d.CDROM.bool(), Writable: d.RW.bool()}
		if d.Image != nil {
			image := d.Image.image(d.Image.Name)
			state.Drive.Image = &image
		}
	}
	if st := wire.Storage; st != nil {
		state.Storage = &MSDStorage{
			Images:      make(map[string]MSDImage, len(st.Images)),
			Parts:       make(map[string]MSDPart, len(st.Parts)),
			Uploading:   st.Uploading.transfer(),
			Downloading: st.Downloading.transfer(),
		}
		for name, i := range st.Images {
			state.Storage.Images[name] = i.image(name)
		}
		for dir, p := range st.Parts {
			state.Storage.Parts[dir] = p.part()
		}
		if st.Parts == nil {
			state.Storage.Parts[""] = st.part()
		}
	}
	*s = state
	return nil
}

func (i wireImage) image(name string) MSDImage {
	return MSDImage{
		Name:      name,
		Complete:  i.Complete.orTrue(),
		Removable: i.Removable.orTrue(),
		Writable:  i.Writable.orTrue(),
		InStorage: i.InStorage.orTrue(),
		Size:      i.Size.int64(),
		Modified:  i.ModTS.time(),
	}
}

func (p wirePart) part() MSDPart {
	return MSDPart{Size: p.Size.int64(), Free: p.Free.int64(), Writable: p.Writable.orTrue()}
}

func (t *wireTransfer) transfer() *MSDTransfer {
	if t == nil {
		return nil
	}
	return &MSDTransfer{Name: t.Name, Size: t.Size.int64(), Done: max(t.Written.int64(), t.Readed.int64())}
}

// orTrue is true for nothing.
func (l *loose) orTrue() bool { return l == nil || l.bool() }

// time returns the instant of a number of seconds since 1970, the zero time for zero.
func (l loose) time() time.Time {
	if l == 0 {
		return time.Time{}
	}
	whole, part := math.Modf(float64(l))
	const year9999 = 253402300799 // beyond it nothing prints or encodes
	if whole > year9999 || whole < -year9999 {
		return time.Time{}
	}
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}
