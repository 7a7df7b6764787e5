package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// faultKinds are the kinds of faults by the names that the command line has for them.
var faultKinds = map[string]pikvmtest.FaultKind{
	"delay": pikvmtest.FaultDelay, "answer": pikvmtest.FaultAnswer, "page": pikvmtest.FaultPage,
	"garbage": pikvmtest.FaultGarbage, "reset": pikvmtest.FaultReset, "hang": pikvmtest.FaultHang,
	"lost": pikvmtest.FaultLost, "truncate": pikvmtest.FaultTruncate, "slow": pikvmtest.FaultSlow,
	"oversize": pikvmtest.FaultOversize,
}

// parseFaults reads the faults of a command line.
func parseFaults(texts []string) ([]pikvmtest.Fault, error) {
	faults := make([]pikvmtest.Fault, len(texts))
	for i, text := range texts {
		if err := parseFault(text, &faults[i]); err != nil {
			return nil, exit.Usagef("fault %q: %w", text, err)
		}
	}
	return faults, nil
}

// parseFault reads a fault such as "lost,path=/api/atx/click,times=1".
func parseFault(text string, fault *pikvmtest.Fault) (err error) {
	name, settings, more := strings.Cut(text, ",")
	kind, ok := faultKinds[name]
	if !ok {
		return exit.Usagef("there is no kind %q", name)
	}
	fault.Kind = kind
	for more {
		var setting string
		setting, settings, more = strings.Cut(settings, ",")
		key, value, _ := strings.Cut(setting, "=")
		switch key {
		case "method":
			fault.Method = strings.ToUpper(value)
		case "path":
			fault.Path = value
		case "body":
			fault.Body = []byte(value)
		case "skip":
			fault.Skip, err = strconv.Atoi(value)
		case "times":
			fault.Times, err = strconv.Atoi(value)
		case "status":
			fault.Status, err = strconv.Atoi(value)
		case "bytes":
			fault.Bytes, err = strconv.Atoi(value)
		case "delay":
			fault.Delay, err = time.ParseDuration(value)
		case "interval":
			fault.Interval, err = time.ParseDuration(value)
		default:
			return exit.Usagef("there is no key %q", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
