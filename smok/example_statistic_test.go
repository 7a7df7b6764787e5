package smok_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// limitState is what the limit remembers of each predicate, also over a restart.
type limitState struct {
	Event string // that is open
}

// limit returns a statistic for predicates such as {"pathpoint":"W1","above":50,"clear":45}: it raises an event when the
// value is above one limit, and closes it when it is below the other.
func limit(d *smok.Device) smok.Statistic[limitState] {
	return smok.Statistic[limitState]{
		Name: "limit",
		Tick: func(ctx context.Context, p *smok.Predicate, state *limitState) error {
			var config struct {
				Pathpoint    string
				Above, Clear float64
			}
			if err := p.Decode(&config); err != nil {
				return err
			}
			point, err := d.Pathpoint(config.Pathpoint, smok.Trend)
			if err != nil {
				return err
			}
			sample, err := point.Get()
			if err != nil {
				return err
			}
			value, ok := sample.Value.(int64)
			switch {
			case !ok:
			case state.Event == "" && float64(value) > config.Above:
				event, raised, err := p.OpenEvent(ctx, fmt.Sprintf("%d is above %v", value, config.Above), smok.Red)
				if raised {
					state.Event = event.Provisional
				}
				return err
			case state.Event != "" && float64(value) < config.Clear:
				if _, err := d.CloseEvent(ctx, state.Event); err != nil {
					return err
				}
				state.Event = ""
			}
			return nil
		},
	}
}

// spell is how long a value has been what it is.
type spell struct {
	Value any
	Since time.Time
	Told  bool
}

// frozen returns a statistic for predicates such as {"pathpoint":"W1","seconds":3600}: it raises a point event when a value
// has not changed for so long, as that of a dead transmitter.
func frozen(d *smok.Device) smok.Statistic[spell] {
	return smok.Statistic[spell]{
		Match: func(name string, _ json.RawMessage) bool { return strings.HasPrefix(name, "frozen") },
		Tick: func(ctx context.Context, p *smok.Predicate, s *spell) error {
			var config struct {
				Pathpoint string
				Seconds   int
			}
			if err := p.Decode(&config); err != nil {
				return err
			}
			point, err := d.Pathpoint(config.Pathpoint, smok.Trend)
			if err != nil {
				return err
			}
			sample, err := point.Get()
			if err != nil {
				return err
			}
			if now := fmt.Sprint(sample.Value); s.Value != now {
				*s = spell{Value: now, Since: d.LocalTime()}
			}
			if s.Told || d.LocalTime().Sub(s.Since) < time.Duration(config.Seconds)*time.Second || p.Silenced() {
				return nil
			}
			s.Told = true
			_, err = d.OpenEvent(ctx, smok.Event{
				IsPoint: true, Color: smok.Yellow, Token: p.Statistic(), Group: p.Group(),
				Message: p.VerboseName() + ": no change", Metadata: map[string]string{"predicate_id": p.ID()},
			})
			return err
		},
		Changed: func(_ context.Context, _ *smok.Predicate, s *spell, what smok.Change) error {
			if what&smok.ConfigurationChanged != 0 {
				*s = spell{}
			}
			return nil
		},
	}
}

// The hub configures what is watched, the program how: two statistics of this example take care of two predicates.
func ExampleRegisterStatistic() {
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer hub.Close()
	pump := hub.Device("pump")
	pump.SetPredicates(
		smoktest.Predicate{
			ID: "p1", Statistic: "limit", VerboseName: "Boiler",
			Configuration: map[string]any{"pathpoint": "W1", "above": 50, "clear": 45},
		},
		smoktest.Predicate{
			ID: "p2", Statistic: "frozen-value", VerboseName: "Meter",
			Configuration: map[string]any{"pathpoint": "W2", "seconds": 0},
		},
	)
	device, err := newPump(hub)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	boiler, err := device.Register("W1", smok.Trend, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	meter, err := device.Register("W2", smok.Trend, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = boiler.Set(ctx, time.Time{}, 60)
	_ = meter.Set(ctx, time.Time{}, 7)
	if _, err := smok.RegisterStatistic(device, limit(device)); err != nil {
		fmt.Println(err)
	}
	if _, err := smok.RegisterStatistic(device, frozen(device)); err != nil {
		fmt.Println(err)
	}
	go func() { _ = device.Run(ctx) }()

	_ = hub.Wait(ctx, func() bool { return pump.Counts().Alarms == 2 })
	_ = boiler.Set(ctx, time.Time{}, 40)
	_ = hub.Wait(ctx, func() bool {
		closed := 0
		for _, a := range pump.Alarms() {
			if a.Point || !a.Ended.IsZero() {
				closed++
			}
		}
		return closed == 2
	})
	for _, a := range pump.Alarms() {
		fmt.Println(a.Message, a.Metadata["predicate_id"])
	}
	// Unordered output:
	// Boiler: 60 is above 50 p1
	// Meter: no change p2
}

// newPump makes the device "pump" of a hub.
func newPump(hub *smoktest.Hub) (*smok.Device, error) {
	certPEM, keyPEM, err := hub.Issue(ngtttest.Device{ID: "pump"})
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, err
	}
	credentials, err := ngtt.NewCredentials(cert)
	if err != nil {
		return nil, err
	}
	return smok.New(credentials, &smok.Options{
		BaseURL: hub.URL(), Auth: smok.AuthMTLS, RootCAs: hub.RootCAs(),
		Intervals: smok.Intervals{Ticks: 10 * time.Millisecond},
	})
}
