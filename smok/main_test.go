package smok_test

import (
	"flag"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

var full = flag.Bool("full", false, "run the long versions: 200 kills with each kind of order link, 30 days without a link")

func TestMain(m *testing.M) {
	if !runChild() {
		leak.Main(m)
	}
}
