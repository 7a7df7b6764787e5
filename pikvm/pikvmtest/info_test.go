package pikvmtest_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestInfoFields shows which fields come for which request, by version; "hw" inside "system" is its platform.
func TestInfoFields(t *testing.T) {
	t.Parallel()
	all := []string{"auth", "extras", "fan", "hw", "meta", "node", "system", "uptime"}
	for _, tc := range []struct {
		name, version, query string
		want                 []string
		platform             bool // in system
	}{
		{"all", "4.197", "", all, false},
		{"spaces and commas", "4.197", "?fields=auth,%20,node", []string{"auth", "node"}, false},
		{"case", "4.197", "?fields=AUTH", []string{"auth"}, false},
		{"only the first of a repeated parameter", "4.197", "?fields=auth&fields=node", []string{"auth"}, false},
		{"health by name", "4.197", "?fields=health", []string{"health"}, false},
		{"system without hw", "4.197", "?fields=system", []string{"system"}, true},
		{"hw takes the platform", "4.197", "?fields=system,hw", []string{"hw", "system"}, false},
		{"hw hides health", "4.197", "?fields=hw,health", []string{"hw"}, false},
		{"not legacy", "4.197", "?legacy=no", []string{"auth", "extras", "fan", "health", "meta", "node", "system", "uptime"}, true},
		{"not legacy and empty", "4.197", "?legacy=0&fields=", []string{"auth", "extras", "fan", "health", "meta", "node", "system", "uptime"}, true},
		{"before node", "4.129", "", []string{"auth", "extras", "fan", "hw", "meta", "system", "uptime"}, false},
		{"before legacy", "4.127", "?legacy=maybe", []string{"auth", "extras", "fan", "hw", "meta", "system", "uptime"}, false},
		{"before uptime", "4.124", "", []string{"auth", "extras", "fan", "hw", "meta", "system"}, false},
		{"before health", "4.52", "", []string{"auth", "extras", "fan", "hw", "meta", "system"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := start(t, &pikvmtest.Options{Version: tc.version})
			result := k.result(k.do("GET", "/api/info"+tc.query))
			var got []string
			for name := range result {
				got = append(got, name)
			}
			slices.Sort(got)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("fields (-want +got):\n%s", d)
			}
			if system, ok := result["system"].(map[string]any); ok {
				if _, ok := system["platform"]; ok != tc.platform {
					t.Errorf("system has a platform: %v, want %v", ok, tc.platform)
				}
				if d := cmp.Diff(map[string]any{"version": tc.version}, system["kvmd"]); d != "" {
					t.Errorf("kvmd (-want +got):\n%s", d)
				}
			}
			if hw, ok := result["hw"].(map[string]any); ok && (hw["health"] == nil || hw["platform"] == nil) {
				t.Errorf("hw is %v", hw)
			}
		})
	}
}

func TestInfoRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, version, query, text string }{
		{"unknown", "4.197", "?fields=auth,nope", "Failed sub-validator on one of the item of ['auth', 'nope']"},
		{"uptime before it came", "4.124", "?fields=uptime", "Failed sub-validator on one of the item of ['uptime']"},
		{"legacy", "4.197", "?legacy=2", "The argument '2' is not a valid bool (['1', 'true', 'yes'] or ['0', 'false', 'no'])"},
		{"legacy too long", "4.197", "?legacy=00000000000000000", "RAW limit exceed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := start(t, &pikvmtest.Options{Version: tc.version})
			k.want(k.do("GET", "/api/info"+tc.query), 400, "ValidatorError", tc.text)
		})
	}
}

func TestUptime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		time.Sleep(26 * time.Hour)
		got := k.result(k.do("GET", "/api/info?fields=uptime"))["uptime"]
		want := map[string]any{
			"total": 95853.0, // 2253 s before the start
			"parts": map[string]any{"days": 1.0, "hours": 2.0, "minutes": 37.0, "seconds": 33.0},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("uptime (-want +got):\n%s", d)
		}
	})
}

func TestSetInfo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		if err := k.SetInfo("meta", nil); err != nil {
			t.Error(err)
		}
		for field, value := range map[string]any{"nope": 1, "uptime": 1, "fan": func() {}} {
			if err := k.SetInfo(field, value); err == nil {
				t.Errorf("%s was taken", field)
			}
		}
		synctest.Wait()
		want := []message{{Type: "info", Event: map[string]any{"meta": nil}}}
		if d := cmp.Diff(want, l.take()); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
		if got, ok := k.result(k.do("GET", "/api/info"))["meta"]; got != nil || !ok {
			t.Errorf("meta is %v", got)
		}
	})
}
