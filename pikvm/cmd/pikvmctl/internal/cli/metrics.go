package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) metrics() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "metrics",
		Short: "Print what the device measures, as Prometheus collects it",
		Example: `  pikvmctl metrics | grep temp
  pikvmctl metrics -o json | jq '.samples.pikvm_atx_power'`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			metrics, err := t.kvm.Export.Prometheus(ctx)
			if err != nil {
				return err
			}
			result := struct {
				Samples map[string]float64 `json:"samples"`
			}{make(map[string]float64, len(metrics.Samples))}
			for _, sample := range metrics.Samples {
				result.Samples[sample.Name] = sample.Value
			}
			return t.out.line(result, "%s", strings.TrimRight(metrics.Text, "\n"))
		})
	})
}
