// Package readme_test keeps the example of the repository's README compiling.
package readme_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

func TestMain(m *testing.M) { leak.Main(m) }

// restart is the example, word for word.
func restart(ctx context.Context) error {
	kvm, err := pikvm.New("https://pikvm.local", &pikvm.Options{
		Password:     os.Getenv("PIKVM_PASSWORD"),
		PinnedSHA256: "51:5b:…", // pikvm.Fingerprint fetches it
	})
	if err != nil {
		return err
	}
	defer kvm.Close()

	err = kvm.ATX.PowerCycle(ctx, nil) // off, watched by the LED, and on again
	switch {
	case errors.Is(err, pikvm.ErrAuth):
		return fmt.Errorf("wrong password: %w", err)
	case errors.Is(err, pikvm.ErrPower):
		e, _ := errors.AsType[*pikvm.PowerError](err)
		return fmt.Errorf("the host did not follow at %q: %w", e.Step, err)
	}
	return err
}

// TestExample compares the README with the function above, which the compiler has checked. Its fingerprint is no
// real one, so calling it must end in the typed error for that, before anything is sent.
func TestExample(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	want := between(t, string(readme), "```go\n", "```")
	got := between(t, string(source), "func restart(ctx context.Context) error {\n", "}\n\n// TestExample")
	got = strings.TrimPrefix(strings.ReplaceAll("\n"+got, "\n\t", "\n"), "\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the example (-README +compiled):\n%s", d)
	}
	if err := restart(t.Context()); !errors.Is(err, pikvm.ErrConfiguration) {
		t.Errorf("error = %v, want %v", err, pikvm.ErrConfiguration)
	}
}

func between(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, text, found := strings.Cut(text, begin)
	text, _, ended := strings.Cut(text, end)
	if !found || !ended {
		t.Fatalf("no text between %q and %q", begin, end)
	}
	return text
}
