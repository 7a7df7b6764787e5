package pikvm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// MetricSample is one value of the text format of Prometheus (version 0.0.4).
type MetricSample struct {
	Name   string
	Labels map[string]string // nil for none, as the device has it
	Value  float64
}

var (
	metricLine  = regexp.MustCompile(`\A([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*(\{.*\})?[ \t]*(\S+)([ \t]+-?[0-9]+)?\z`)
	metricLabel = regexp.MustCompile(`\A[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*`)
	metricText  = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")
)

// parseMetrics reads the text format of Prometheus; comments say nothing that is of use here.
func parseMetrics(text string) ([]MetricSample, error) {
	var samples []MetricSample
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		sample, ok := parseMetric(line)
		if !ok {
			return nil, fmt.Errorf("line %d is no sample of Prometheus: %w", number, errkit.Protocol)
		}
		samples = append(samples, sample)
	}
	return samples, nil
}

func parseMetric(line string) (MetricSample, bool) {
	parts := metricLine.FindStringSubmatch(line)
	if parts == nil {
		return MetricSample{}, false
	}
	value, err := strconv.ParseFloat(parts[3], 64) // NaN and +Inf are values too
	labels, ok := parseLabels(parts[2])
	return MetricSample{Name: parts[1], Labels: labels, Value: value}, err == nil && ok
}

// parseLabels reads {name="value",...}; a comma at the end is allowed.
func parseLabels(text string) (map[string]string, bool) {
	if text == "" {
		return nil, true
	}
	labels := make(map[string]string)
	rest := text[1 : len(text)-1]
	for strings.TrimLeft(rest, " \t") != "" {
		parts := metricLabel.FindStringSubmatch(rest)
		if parts == nil {
			return nil, false
		}
		labels[parts[1]] = metricText.Replace(parts[2])
		rest = rest[len(parts[0]):]
		if rest != "" && rest[0] != ',' {
			return nil, false
		}
		rest = strings.TrimPrefix(rest, ",")
	}
	return labels, true
}
