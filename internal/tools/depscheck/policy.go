package main

import "github.com/fieldlink-go/fieldlink/internal/tools/repo"

// allowed says what the code of each published module may import besides the standard library and the module itself.
// A new entry needs its reason in CONTRIBUTING.md.
var allowed = map[string]struct{ released, tests []string }{
	"errkit": {},
	"internal": {
		released: []string{"github.com/google/go-cmp"},
	},
	"wsclient": {
		released: []string{repo.Prefix + "/errkit", "github.com/coder/websocket"},
		tests:    []string{repo.Prefix + "/internal", "github.com/google/go-cmp"},
	},
	"ngtt": {
		released: []string{repo.Prefix + "/errkit"},
		tests:    []string{repo.Prefix + "/internal", "github.com/google/go-cmp"},
	},
	"smok": {
		released: []string{
			repo.Prefix + "/errkit", repo.Prefix + "/ngtt", repo.Prefix + "/wsclient",
			"github.com/go-resty/resty/v2", "go.etcd.io/bbolt",
		},
		tests: []string{repo.Prefix + "/internal", "github.com/google/go-cmp"},
	},
	"pikvm/cmd/pikvmctl": {
		released: []string{
			repo.Prefix + "/errkit", repo.Prefix + "/pikvm", "github.com/BurntSushi/toml",
			"github.com/schollz/progressbar/v3", "github.com/spf13/cobra", "golang.org/x/term",
		},
		tests: []string{repo.Prefix + "/internal", "github.com/google/go-cmp"},
	},
	"sioclient": {
		released: []string{repo.Prefix + "/errkit", repo.Prefix + "/wsclient"},
		tests:    []string{repo.Prefix + "/internal", "github.com/google/go-cmp"},
	},
	"pikvm": {
		released: []string{repo.Prefix + "/errkit", repo.Prefix + "/wsclient", "github.com/go-resty/resty/v2"},
		tests:    []string{repo.Prefix + "/internal", "github.com/google/go-cmp"},
	},
}

// outsideWork are the modules that are not in go.work: their dependencies are many, or at odds with one another, and must
// not raise those of the others.
var outsideWork = []string{
	"internal/tools", "internal/e2e/sioservers/karagenc", "internal/e2e/sioservers/zishang520",
}

// maxTestdata is how many bytes of test data a published module may carry to its users.
const maxTestdata = 1 << 20
