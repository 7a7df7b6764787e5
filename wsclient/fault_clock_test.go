package wsclient_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A jump of the wall clock changes nothing, because nothing looks at it: durations come from times that carry the
// reading of the monotonic clock (see package time), and only what is listed here takes that away from a time or makes
// one without it. No test can move the clock of the machine it runs on, so this one reads the code.
func TestFI22NoWallClock(t *testing.T) {
	t.Parallel()
	methods := []string{"Unix", "UnixMilli", "UnixMicro", "UnixNano", "Round", "Truncate", "UTC", "Local", "In", "AddDate"}
	functions := []string{"Unix", "UnixMilli", "UnixMicro", "Date", "Parse", "ParseInLocation"}
	want := map[string]int{
		"log.go Round":                        1, // of a duration
		"stats.go UnixNano":                   1, // Stats.LastMessageTime
		"stats.go Unix":                       1,
		"wsconn/proxy.go Unix":                1, // a deadline that has passed in any case
		"internal/outbox/detour.go UnixMicro": 1, // numbers of messages, which only have to grow
		"internal/outbox/disk.go Date":        1, // whether the clock was set when a message was stored by an earlier process
	}
	got := make(map[string]int)
	for _, dir := range []string{".", "wsconn", "internal/inbox", "internal/outbox", "internal/gate"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					f, ok := call.Fun.(*ast.SelectorExpr)
					if !ok {
						return true
					}
					names := methods
					if pkg, ok := f.X.(*ast.Ident); ok && pkg.Name == "time" {
						names = functions
					}
					if slices.Contains(names, f.Sel.Name) {
						got[filepath.ToSlash(name)+" "+f.Sel.Name]++
					}
				}
				return true
			})
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses of the wall clock (-want +got):\n%s", diff)
	}
}
