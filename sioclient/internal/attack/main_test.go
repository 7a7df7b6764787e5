package attack_test

import (
	"flag"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

var full = flag.Bool("full", false, "attack for a minute, and hold the honest client's waiting against the limit")

func TestMain(m *testing.M) { leak.Main(m) }
