package pikvmtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// metricsAge is how long the device keeps its metrics.
const metricsAge = 5 * time.Second

// export shows what the device measures in the text format of Prometheus.
type export struct {
	server *Server

	mu   sync.Mutex
	text string
	made time.Time
}

func (e *export) announce() {}

func (e *export) routes(k *router) {
	add := k.add
	if e.server.opts.MetricsPublic && e.server.version.atLeast(3, 246) {
		add = k.addPublic
	}
	add(http.MethodGet, "/export/prometheus/metrics", func(c *call) error {
		write(c.w, http.StatusOK, typeText, e.metrics())
		return nil
	})
}

func (e *export) metrics() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.text == "" || time.Since(e.made) >= metricsAge {
		e.text, e.made = e.collect(), time.Now()
	}
	return e.text
}

func (e *export) collect() string {
	g := &gauges{}
	s := e.server
	s.atx.mu.Lock()
	lit := s.atx.state().powerLED
	s.atx.mu.Unlock()
	g.add("pikvm_atx_enabled", flag(!s.atx.disabled))
	g.add("pikvm_atx_power", flag(lit))
	g.gpio(s.gpio)
	s.info.mu.Lock()
	defer s.info.mu.Unlock()
	g.tree("pikvm_hw", s.info.object("health"))
	g.tree("pikvm_fan", s.info.object("fan"))
	return strings.Join(g.blocks, "\n")
}

// gauges are metrics as they are written.
type gauges struct{ blocks []string }

func (g *gauges) add(name, value string) {
	g.blocks = append(g.blocks, fmt.Sprintf("# TYPE %s gauge\n%s %s\n", name, name, value))
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

var notWord = regexp.MustCompile(`\W`)

// gpio adds the channels: under "online" there is the state too, as the device has it.
func (g *gauges) gpio(p *gpio) {
	p.mu.Lock()
	defer p.mu.Unlock()
	states := p.states(p.order...)
	for _, side := range []string{"input", "output"} {
		channels := states[side+"s"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(channels)) {
			if strings.HasPrefix(name, "__") {
				continue
			}
			on := channels[name].(map[string]bool)["state"]
			word := notWord.ReplaceAllString(name, "_")
			g.add("pikvm_gpio_"+side+"_online_"+word, flag(on))
			g.add("pikvm_gpio_"+side+"_state_"+word, flag(on))
		}
	}
}

// tree adds the numbers in an object, by their paths. The level parsed_flags is left out.
func (g *gauges) tree(prefix string, members map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		path := prefix + "_" + name
		if name == "parsed_flags" {
			path = prefix
		}
		raw, err := json.Marshal(members[name])
		if err != nil {
			continue
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var value any
		if dec.Decode(&value) != nil {
			continue
		}
		switch v := value.(type) {
		case bool:
			g.add(path, flag(v))
		case json.Number:
			g.add(path, v.String())
		case map[string]any:
			g.tree(path, v)
		}
	}
}
