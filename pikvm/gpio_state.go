package pikvm

import (
	"encoding/json"
	"time"
)

// GPIOState is the state of all channels with what the device knows of them.
type GPIOState struct {
	Inputs  map[string]GPIOInput  // by the name of the channel
	Outputs map[string]GPIOOutput // by the name of the channel
	Model   GPIOModel

	// Raw is the whole object as the device sent it.
	Raw json.RawMessage
}

// GPIOInput is the state of an input.
type GPIOInput struct{ Online, State bool }

// GPIOOutput is the state of an output. While it is busy, State is false whatever the hardware does.
type GPIOOutput struct{ Online, State, Busy bool }

// GPIOModel tells what the channels are and how the owner has arranged them. Names that begin with two underscores are
// channels of the device itself.
type GPIOModel struct {
	Inputs  map[string]GPIOPin
	Outputs map[string]GPIOOutputModel
	Title   []GPIOItem   // what is shown at the top
	Table   [][]GPIOItem // rows of what is shown; a nil row is a separator
}

// GPIOPin is the hardware behind a channel.
type GPIOPin struct{ Driver, Pin string }

// GPIOOutputModel tells what an output can do.
type GPIOOutputModel struct {
	Pin    GPIOPin
	Switch bool // it can be switched
	Pulse  GPIOPulse
}

// GPIOPulse tells which pulses an output can make. All are zero for one that makes none.
type GPIOPulse struct{ Default, Min, Max time.Duration }

// GPIOItem is something that the owner wants to be shown. Type is "label", "input" or "output"; others are kept.
type GPIOItem struct {
	Type    string
	Text    string // of labels and outputs
	Channel string // of inputs and outputs
	Color   string // of inputs: green, yellow, red, blue, cyan, magenta, pink or white
	Confirm bool   // ask before the output is worked
	Hide    bool   // do not show the state of the output
}

// GPIO returns the channels, and false as long as the device has not told them in a readable form; [State.Decode] says
// what is wrong.
func (s *State) GPIO() (*GPIOState, bool) { return decodePart[GPIOState](s, EventGPIO) }

// UnmarshalJSON reads state and model as the device sends them. The state of the outputs must be there; a model in an
// unknown shape is left empty, it is in Raw.
func (s *GPIOState) UnmarshalJSON(data []byte) error {
	var wire struct {
		Model json.RawMessage `json:"model"`
		State *struct {
			Inputs map[string]struct {
				Online loose  `json:"online"`
				State  *loose `json:"state"`
			} `json:"inputs"`
			Outputs map[string]struct {
				Online loose  `json:"online"`
				State  *loose `json:"state"`
				Busy   loose  `json:"busy"`
			} `json:"outputs"`
		} `json:"state"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.State == nil {
		return missing("state")
	}
	state := GPIOState{
		Inputs:  make(map[string]GPIOInput, len(wire.State.Inputs)),
		Outputs: make(map[string]GPIOOutput, len(wire.State.Outputs)),
		Raw:     append(json.RawMessage(nil), data...),
	}
	for name, in := range wire.State.Inputs {
		if in.State == nil {
			return inPart(name, missing("state"))
		}
		state.Inputs[name] = GPIOInput{Online: in.Online.bool(), State: in.State.bool()}
	}
	for name, out := range wire.State.Outputs {
		if out.State == nil {
			return inPart(name, missing("state"))
		}
		state.Outputs[name] = GPIOOutput{Online: out.Online.bool(), State: out.State.bool(), Busy: out.Busy.bool()}
	}
	if model := readPart[wireGPIOModel](wire.Model); model != nil {
		state.Model = model.model()
	}
	*s = state
	return nil
}

// wireGPIOModel is the model on the wire. Before version 3.24 a pin was a number and the title a text.
type wireGPIOModel struct {
	Scheme struct {
		Inputs map[string]struct {
			HW wirePin `json:"hw"`
		} `json:"inputs"`
		Outputs map[string]struct {
			HW     wirePin `json:"hw"`
			Switch loose   `json:"switch"`
			Pulse  struct {
				Delay loose `json:"delay"`
				Min   loose `json:"min_delay"`
				Max   loose `json:"max_delay"`
			} `json:"pulse"`
		} `json:"outputs"`
	} `json:"scheme"`
	View struct {
		Header struct {
			Title wireTitle `json:"title"`
		} `json:"header"`
		Table [][]wireItem `json:"table"`
	} `json:"view"`
}

func (w *wireGPIOModel) model() GPIOModel {
	m := GPIOModel{
		Inputs:  make(map[string]GPIOPin, len(w.Scheme.Inputs)),
		Outputs: make(map[string]GPIOOutputModel, len(w.Scheme.Outputs)),
		Title:   items(w.View.Header.Title),
	}
	for name, in := range w.Scheme.Inputs {
		m.Inputs[name] = in.HW.pin()
	}
	for name, out := range w.Scheme.Outputs {
		m.Outputs[name] = GPIOOutputModel{
			Pin: out.HW.pin(), Switch: out.Switch.bool(),
			Pulse: GPIOPulse{out.Pulse.Delay.duration(), out.Pulse.Min.duration(), out.Pulse.Max.duration()},
		}
	}
	for _, row := range w.View.Table {
		m.Table = append(m.Table, items(row))
	}
	return m
}

type wirePin struct {
	Driver string          `json:"driver"`
	Pin    json.RawMessage `json:"pin"`
}

func (p wirePin) pin() GPIOPin {
	var text string
	if json.Unmarshal(p.Pin, &text) != nil {
		text = string(p.Pin)
	}
	return GPIOPin{Driver: p.Driver, Pin: text}
}

type wireItem struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Channel string `json:"channel"`
	Color   string `json:"color"`
	Confirm loose  `json:"confirm"`
	Hide    loose  `json:"hide"`
}

// wireTitle is a list of items, or a single text.
type wireTitle []wireItem

// UnmarshalJSON reads both forms.
func (t *wireTitle) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*t = wireTitle{{Type: "label", Text: text}}
		return nil
	}
	return json.Unmarshal(data, (*[]wireItem)(t))
}

func items(wire []wireItem) []GPIOItem {
	if wire == nil {
		return nil
	}
	list := make([]GPIOItem, len(wire))
	for i, w := range wire {
		list[i] = GPIOItem{
			Type: w.Type, Text: w.Text, Channel: w.Channel, Color: w.Color,
			Confirm: w.Confirm.bool(), Hide: w.Hide.bool(),
		}
	}
	return list
}
