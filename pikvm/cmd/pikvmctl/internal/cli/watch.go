package cli

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// eventResult is an event as JSON.
type eventResult struct {
	Time    time.Time       `json:"time"`
	Type    pikvm.EventType `json:"type"`
	Data    json.RawMessage `json:"data,omitempty"`
	Dropped uint64          `json:"dropped,omitempty"`
	Error   string          `json:"error,omitempty"`
}

func (a *app) watch() *cobra.Command {
	var (
		types  []string
		count  int
		viewer bool
	)
	cmd := a.command(&cobra.Command{
		Use:   "watch",
		Short: "Follow what happens, one event in a line of JSON",
		Long: `Watch prints the events of the device as they come, each as one line of JSON whatever --output says: first the state
of all that the device has, then the changes. "data" is what the device sent. When the connection breaks it comes back
by itself; the types @connected and @disconnected tell.`,
		Example: `  pikvmctl watch
  pikvmctl watch --type atx,msd --count 10
  pikvmctl watch --type atx | jq --unbuffered .data.leds.power`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		wanted := make([]pikvm.EventType, len(types))
		for i, name := range types {
			wanted[i] = pikvm.EventType(name)
		}
		return a.stream(ctx, func(ctx context.Context, t *target) error {
			t.out.json = true
			session, err := t.kvm.Events(ctx, &pikvm.EventOptions{Stream: viewer})
			if err != nil {
				return err
			}
			defer func() { _ = session.Close() }() // returns nil
			events := session.Subscribe(wanted...)
			defer func() { _ = events.Close() }() // returns nil
			w := watcher{out: t.out, left: count}
			for more, err := w.state(session.State(), wanted); ; {
				if err != nil || !more {
					return err
				}
				var event pikvm.Event
				if event, err = events.Next(ctx); err != nil {
					return err
				}
				more, err = w.event(event)
			}
		})
	})
	cmd.Flags().StringSliceVar(&types, "type", nil, "only events of these types, such as atx")
	cmd.Flags().IntVar(&count, "count", 0, "end after so many events")
	cmd.Flags().BoolVar(&viewer, "stream", false, "count as a viewer of the video, which starts the streamer")
	names := []string{string(pikvm.EventLoop), string(pikvm.EventClients)}
	for _, subsystem := range subsystems {
		names = append(names, string(subsystem))
	}
	_ = cmd.RegisterFlagCompletionFunc("type", oneOf(names...)) // fails for flags that are not there
	return cmd
}

// subsystems are what has a state.
var subsystems = []pikvm.EventType{
	pikvm.EventATX, pikvm.EventGPIO, pikvm.EventHID, pikvm.EventHIDKeymaps, pikvm.EventInfo, pikvm.EventMSD,
	pikvm.EventOCR, pikvm.EventStreamer, pikvm.EventSwitch,
}

// watcher prints events.
type watcher struct {
	out  *printer
	left int // events to print, negative or 0 for no limit
}

// state prints what came before the first event that is waited for.
func (w *watcher) state(state *pikvm.State, wanted []pikvm.EventType) (more bool, err error) {
	for _, subsystem := range subsystems {
		data := state.Raw(subsystem)
		if data == nil || len(wanted) > 0 && !slices.Contains(wanted, subsystem) {
			continue
		}
		if more, err := w.event(pikvm.Event{Type: subsystem, Data: data}); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// event prints an event and tells whether another one is wanted.
func (w *watcher) event(event pikvm.Event) (more bool, err error) {
	result := eventResult{Time: time.Now().UTC(), Type: event.Type, Data: event.Data, Dropped: event.Dropped}
	if event.Err != nil {
		result.Error = event.Err.Error()
	}
	w.left--
	return w.left != 0, w.out.show(result, nil)
}
