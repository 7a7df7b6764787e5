package sioclient_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are the texts for users.
var pages = []string{"README.md", "docs/googollee.md", "docs/python-socketio.md"}

// TestReadme checks that every program of the pages is one that the examples run.
func TestReadme(t *testing.T) {
	t.Parallel()
	examples, programs := read(t, "example_readme_test.go")+read(t, "example_docs_test.go"), 0
	for _, page := range pages {
		for _, block := range strings.Split(read(t, page), "```go\n")[1:] {
			program, _, ok := strings.Cut(block, "```")
			if !ok {
				t.Fatal("a block has no end")
			}
			programs++
			if !strings.Contains(examples, program) {
				t.Errorf("%s: no example has:\n%s", page, program)
			}
		}
	}
	if programs < 6 {
		t.Errorf("%d programs, want 6 at least", programs)
	}
}

// TestDocsNames checks that what the pages for those who come from elsewhere call ours is there: every exported name in
// the second column of their tables.
func TestDocsNames(t *testing.T) {
	t.Parallel()
	names := exported(t)
	code, name := regexp.MustCompile("`[^`]+`"), regexp.MustCompile(`(?:\b[a-z]\w*\.)?\b[A-Z]\w*`)
	checked := 0
	for _, page := range pages[1:] {
		for line := range strings.Lines(read(t, page)) {
			cells := strings.Split(line, " | ")
			if len(cells) < 2 || !strings.HasPrefix(line, "| ") {
				continue
			}
			for _, span := range code.FindAllString(cells[1], -1) {
				for _, n := range name.FindAllString(span, -1) {
					qualifier, ident, qualified := strings.Cut(n, ".")
					switch {
					case !qualified:
						ident = qualifier
					case slices.Contains([]string{"http", "regexp", "signal", "slog", "time"}, qualifier):
						continue
					}
					checked++
					if !names[ident] && ident != "R" && ident != "T" {
						t.Errorf("%s: there is no %s: %s", page, n, strings.TrimSpace(line))
					}
				}
			}
		}
	}
	if checked < 150 {
		t.Errorf("%d names, want 150 at least", checked)
	}
}

// exported returns all exported names of the public packages: types, functions, methods, fields, constants.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, dir := range []string{".", "sioserver", "engineio", "packet", "internal/sioerr", "internal/event"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.TypeSpec:
					names[n.Name.Name] = true
				case *ast.FuncDecl:
					names[n.Name.Name] = true
				case *ast.Field:
					for _, id := range n.Names {
						names[id.Name] = true
					}
				case *ast.ValueSpec:
					for _, id := range n.Names {
						names[id.Name] = true
					}
				}
				return true
			})
		}
	}
	return names
}

// errorRow is a row of the table of errors.
type errorRow struct{ Name, Above, Type, Fields, Kinds string }

// classes are the sentinels with the types that carry them; nil is errkit.Basic.
var classes = []struct {
	name  string
	class *errkit.Class
	typ   reflect.Type
}{
	{"ErrInvalid", sioclient.ErrInvalid, reflect.TypeFor[sioclient.InvalidError]()},
	{"ErrReserved", sioclient.ErrReserved, reflect.TypeFor[sioclient.InvalidError]()},
	{"ErrConnection", sioclient.ErrConnection, reflect.TypeFor[sioclient.ConnectionError]()},
	{"ErrAlreadyConnected", sioclient.ErrAlreadyConnected, reflect.TypeFor[sioclient.ConnectionError]()},
	{"ErrConnectTimeout", sioclient.ErrConnectTimeout, reflect.TypeFor[sioclient.ConnectionError]()},
	{"ErrConnectionRefused", sioclient.ErrConnectionRefused, reflect.TypeFor[sioclient.ConnectionRefusedError]()},
	{"ErrTimeout", sioclient.ErrTimeout, reflect.TypeFor[sioclient.TimeoutError]()},
	{"ErrAckTimeout", sioclient.ErrAckTimeout, reflect.TypeFor[sioclient.AckTimeoutError]()},
	{"ErrBadNamespace", sioclient.ErrBadNamespace, reflect.TypeFor[sioclient.BadNamespaceError]()},
	{"ErrDisconnected", sioclient.ErrDisconnected, reflect.TypeFor[sioclient.DisconnectedError]()},
	{"ErrReconnect", sioclient.ErrReconnect, reflect.TypeFor[sioclient.DisconnectedError]()},
	{"ErrClosed", sioclient.ErrClosed, nil},
	{"ErrEngine", sioclient.ErrEngine, reflect.TypeFor[sioclient.EngineError]()},
	{"ErrTooLarge", sioclient.ErrTooLarge, reflect.TypeFor[sioclient.EngineError]()},
	{"ErrEngineVersion", sioclient.ErrEngineVersion, reflect.TypeFor[sioclient.EngineError]()},
	{"ErrPacket", sioclient.ErrPacket, reflect.TypeFor[sioclient.PacketError]()},
	{"ErrDecode", sioclient.ErrDecode, reflect.TypeFor[sioclient.DecodeError]()},
	{"ErrSession", sioclient.ErrSession, reflect.TypeFor[sioclient.SessionError]()},
	{"ErrBufferFull", sioclient.ErrBufferFull, reflect.TypeFor[sioclient.BufferFullError]()},
	{"ErrHandler", sioclient.ErrHandler, nil},
	{"ErrNotSupported", sioclient.ErrNotSupported, nil},
}

// TestReadmeErrors compares the table of errors with the classes and types there are.
func TestReadmeErrors(t *testing.T) {
	t.Parallel()
	var want []errorRow
	var declared, listed []string
	for _, m := range regexp.MustCompile(`(?m)^\t(Err\w+) += sioerr`).FindAllStringSubmatch(read(t, "errors.go"), -1) {
		declared = append(declared, m[1])
	}
	names := map[*errkit.Class]string{}
	for _, c := range classes {
		names[c.class] = c.name
		listed = append(listed, c.name)
		row := errorRow{Name: c.name, Above: names[c.class.Parent()], Type: "errkit.Basic", Kinds: "of its cause"}
		if c.typ != nil {
			row.Type, row.Fields = c.typ.Name(), fields(c.typ)
		}
		if kinds := c.class.Kind().Names(); len(kinds) > 0 {
			slices.Sort(kinds)
			row.Kinds = strings.Join(kinds, ", ")
		}
		want = append(want, row)
	}
	slices.Sort(declared)
	slices.Sort(listed)
	if d := cmp.Diff(declared, listed); d != "" {
		t.Errorf("classes (-declared +tested):\n%s", d)
	}
	if d := cmp.Diff(want, documented(read(t, "README.md"))); d != "" {
		t.Errorf("the table of errors (-source +README):\n%s", d)
	}
}

// fields are the fields of a typed error that it does not share with all others.
func fields(typ reflect.Type) string {
	var names []string
	for i := range typ.NumField() {
		if f := typ.Field(i); !f.Anonymous {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// documented reads the table of errors. "the same" stands for the type of the row above.
func documented(readme string) []errorRow {
	_, table, _ := strings.Cut(readme, "\n## Errors\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var rows []errorRow
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), "`", ""), " | ")
		if len(cells) != 4 || !strings.HasPrefix(cells[0], "| Err") {
			continue
		}
		var row errorRow
		row.Name, row.Above, _ = strings.Cut(strings.TrimPrefix(cells[0], "| "), ", below ")
		row.Type, row.Fields, _ = strings.Cut(cells[1], ": ")
		if cells[1] == "the same" {
			row.Type, row.Fields = rows[len(rows)-1].Type, rows[len(rows)-1].Fields
		}
		row.Kinds = strings.TrimSuffix(cells[3], " |")
		rows = append(rows, row)
	}
	return rows
}
