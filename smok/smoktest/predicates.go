package smoktest

import "slices"

// Predicate is an instance of a statistic that the hub wants a device to run.
type Predicate struct {
	ID            string
	Offline       bool
	Statistic     string
	Configuration map[string]any // nil is null
	VerboseName   string
	Group         string
	Silencing     []Silence // nil leaves the member out
}

// Silence is a time of the week, both ends included, in which a predicate raises no alarm.
type Silence struct{ Start, Stop WeekTime }

// WeekTime is a minute of the week; day 1 is Monday.
type WeekTime struct{ Day, Hour, Minute int }

func (t WeekTime) document() map[string]any {
	return map[string]any{"day": t.Day, "hour": t.Hour, "minute": t.Minute}
}

// SetPredicates replaces the predicates of the device. Configurations must not be changed afterwards.
func (d *Device) SetPredicates(predicates ...Predicate) {
	predicates = slices.Clone(predicates)
	for i := range predicates {
		predicates[i].Silencing = slices.Clone(predicates[i].Silencing)
	}
	d.change(func(s *device) { s.predicates = predicates })
}

func getPredicates(c *call) (any, error) {
	out := make([]any, 0, len(c.device.predicates))
	for _, p := range c.device.predicates {
		entry := map[string]any{
			"predicate_id": p.ID, "online": !p.Offline, "statistic": p.Statistic, "configuration": nil,
			"verbose_name": p.VerboseName, "group": p.Group,
		}
		if p.Configuration != nil {
			entry["configuration"] = p.Configuration
		}
		if p.Silencing != nil {
			silencing := make([]any, 0, len(p.Silencing))
			for _, s := range p.Silencing {
				silencing = append(silencing, map[string]any{"start": s.Start.document(), "stop": s.Stop.document()})
			}
			entry["silencing"] = silencing
		}
		out = append(out, entry)
	}
	return out, nil
}
