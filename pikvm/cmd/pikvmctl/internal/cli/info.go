package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// infoResult is what info prints as JSON. Parts has everything as the device sent it.
type infoResult struct {
	Version    string                     `json:"version"`
	Host       string                     `json:"host,omitempty"`
	Platform   string                     `json:"platform,omitempty"`
	UptimeS    float64                    `json:"uptime_s,omitempty"`
	CPUTemp    *float64                   `json:"cpu_celsius,omitempty"`
	CPUPercent *float64                   `json:"cpu_percent,omitempty"`
	MemPercent *float64                   `json:"memory_percent,omitempty"`
	Throttled  *bool                      `json:"throttled,omitempty"`    // now, or the voltage is too low
	Streamer   string                     `json:"streamer,omitempty"`     // name and version
	NeedsAuth  *bool                      `json:"auth_enabled,omitempty"` // it asks for a password
	Parts      map[string]json.RawMessage `json:"parts"`
}

func (a *app) info() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "info",
		Short: "Tell what the device is and how it does",
		Long: `Info tells versions, platform, uptime, temperature and load of the device itself, not of the host behind it.
With -o json the member "parts" has all that the device tells, as it tells it.`,
		Example: `  pikvmctl info
  pikvmctl info -o json | jq .cpu_celsius`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			info, err := t.kvm.Info.Get(ctx, nil)
			if err != nil {
				return err
			}
			result := newInfoResult(info)
			return t.out.show(result, result.text)
		})
	})
}

func newInfoResult(info *pikvm.InfoState) *infoResult {
	r := &infoResult{Parts: info.Raw}
	if info.Auth != nil {
		r.NeedsAuth = &info.Auth.Enabled
	}
	if info.Node != nil {
		r.Host = info.Node.Host
	}
	if info.Uptime != nil {
		r.UptimeS = info.Uptime.Total.Seconds()
	}
	if s := info.System; s != nil {
		r.Version = s.KVMD.String()
		if s.Streamer.App != "" {
			r.Streamer = s.Streamer.App + " " + s.Streamer.Version
		}
		if s.Platform != nil {
			r.Platform = s.Platform.Base
		}
	}
	if h := info.Health; h != nil {
		r.CPUTemp, r.CPUPercent, r.MemPercent = h.CPUTemp, h.CPUPercent, h.MemPercent
		if t := h.Throttling; t != nil {
			throttled := t.Throttled.Now || t.Undervoltage.Now || t.FreqCapped.Now
			r.Throttled = &throttled
		}
	}
	return r
}

func (r *infoResult) text(w io.Writer) {
	row := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	number := func(name, unit string, value *float64) {
		if value != nil {
			row(name, "%.1f %s", *value, unit)
		}
	}
	row("version", "%s", r.Version)
	for _, part := range [][2]string{{"host", r.Host}, {"platform", r.Platform}, {"streamer", r.Streamer}} {
		if part[1] != "" {
			row(part[0], "%s", part[1])
		}
	}
	if r.UptimeS > 0 {
		row("uptime", "%s", seconds(r.UptimeS))
	}
	number("cpu", "°C", r.CPUTemp)
	number("load", "%", r.CPUPercent)
	number("memory", "% used", r.MemPercent)
	if r.Throttled != nil {
		row("throttled", "%s", yesNo(*r.Throttled))
	}
}
