package main

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBar checks that a terminal has one line that is written again, with other lines above it, and others a line for
// each quarter.
func TestBar(t *testing.T) {
	t.Parallel()
	times := regexp.MustCompile(`(?m) +\d+\.\d\ds  |, \d+ MiB/s`)
	const size = 400 << 20
	for _, tc := range []struct {
		name     string
		terminal bool
		want     string
	}{
		{
			"terminal", true,
			"\r\x1b[Kdrive   up [########------------------------]  25 % of 400 MiB" +
				"\r\x1b[Kevent   news\ndrive   up [########------------------------]  25 % of 400 MiB" +
				"\r\x1b[Kdrive   up [########------------------------]  26 % of 400 MiB" +
				"\r\x1b[Kdrive   up [################################] 100 % of 400 MiB\nevent   more\n",
		},
		{
			"file", false,
			"drive   up [########------------------------]  25 % of 400 MiB\nevent   news\n" +
				"drive   up [################################] 100 % of 400 MiB\nevent   more\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			line := newTimeline(&out)
			line.terminal = tc.terminal
			b := line.bar("drive", "up")
			b.set(size/4, size)
			b.set(size/4+1, size)
			line.say("event", "news")
			b.set(size/4+size/100, size)
			b.set(size, size)
			b.close()
			line.say("event", "more")
			if d := cmp.Diff(tc.want, times.ReplaceAllString(out.String(), "")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
