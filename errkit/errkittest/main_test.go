package errkittest

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
