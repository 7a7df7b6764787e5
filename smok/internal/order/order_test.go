package order_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

func TestFromJSON(t *testing.T) {
	t.Parallel()
	body := `[
		{"orders":[
			{"type":"read","path":"W1"},
			{"type":"read","path":"W1","advise":1,"unknown":[1]},
			{"type":"write","path":"W2","value":5,"advise":1,"stale_after":1600000000},
			{"type":"write","path":"f2","value":5.5,"stale_after":1600000000.5},
			{"type":"write","path":"B2","value":true,"stale_after":null},
			{"type":"write","path":"u2","value":"on","advise":0},
			{"type":"wait","time":0.25},
			{"type":"wait","time":3},
			{"type":"message","uuid":"5f1d"},
			{"type":"sysctl","op_type":"reboot","op_args":""}
		],"disposition":0},
		{"orders":[],"disposition":1},
		{"orders":[]},
		{"orders":[],"disposition":2},
		{"orders":[],"disposition":"alone"}
	]`
	want := []order.Section{
		{Orders: []order.Order{
			{Type: order.Read, Path: "W1"},
			{Type: order.Read, Path: "W1", Advise: order.Force},
			{Type: order.Write, Path: "W2", Value: int64(5), Advise: order.Force, StaleAfter: time.Unix(1600000000, 0)},
			{Type: order.Write, Path: "f2", Value: 5.5, StaleAfter: time.Unix(1600000000, 5e8)},
			{Type: order.Write, Path: "B2", Value: true},
			{Type: order.Write, Path: "u2", Value: "on"},
			{Type: order.Wait, Wait: 250 * time.Millisecond},
			{Type: order.Wait, Wait: 3 * time.Second},
			{Type: order.Message, UUID: "5f1d"},
			{Type: order.Sysctl, OpType: "reboot"},
		}},
		{Orders: []order.Order{}, CannotJoin: true},
		{Orders: []order.Order{}},
		{Orders: []order.Order{}, CannotJoin: true}, // what is not known may want to be alone
		{Orders: []order.Order{}, CannotJoin: true},
	}
	got, problems, err := order.FromJSON([]byte(body))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	packed, err := minijson.FromJSON([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	got, problems, err = order.FromMiniJSON(packed)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("as MiniJSON (-want +got):\n%s", diff)
	}
}

func TestBadOrdersAreSkippedAndReported(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`5`, `null`, `{}`, `{"type":5}`, `{"type":"dance"}`,
		`{"type":"read"}`, `{"type":"read","path":5}`, `{"type":"read","path":""}`,
		`{"type":"read","path":"W1","advise":2}`, `{"type":"read","path":"W1","advise":"1"}`,
		`{"type":"read","path":"W1","advise":null}`, `{"type":"read","path":"W1","advise":0.5}`,
		`{"type":"read","path":"` + strings.Repeat("W", 5000) + `"}`,
		`{"type":"write","path":"W1"}`, `{"type":"write","path":"W1","value":null}`, `{"type":"write","path":"W1","value":[1]}`,
		`{"type":"write","path":"W1","value":99999999999999999999}`, `{"type":"write","path":"W1","value":1e999}`,
		`{"type":"write","path":"W1","value":1,"stale_after":"soon"}`, `{"type":"write","path":"W1","value":1,"stale_after":-1}`,
		`{"type":"write","path":"W1","value":1,"stale_after":1e300}`,
		`{"type":"wait"}`, `{"type":"wait","time":-1}`, `{"type":"wait","time":"5"}`, `{"type":"wait","time":1e18}`,
		`{"type":"wait","time":604801}`, `{"type":"wait","time":-0.5}`,
		`{"type":"message"}`, `{"type":"message","uuid":""}`, `{"type":"message","uuid":7}`,
		`{"type":"sysctl","op_type":"reboot"}`, `{"type":"sysctl","op_args":""}`, `{"type":"sysctl","op_type":"","op_args":""}`,
	} {
		body := `[{"orders":[{"type":"read","path":"W1"},` + bad + `,{"type":"wait","time":1}]}]`
		sections, problems, err := order.FromJSON([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", bad, err)
			continue
		}
		want := []order.Section{{Orders: []order.Order{
			{Type: order.Read, Path: "W1"}, {Type: order.Wait, Wait: time.Second},
		}}}
		if diff := cmp.Diff(want, sections); diff != "" {
			t.Errorf("%.80s (-want +got):\n%s", bad, diff)
		}
		if len(problems) != 1 {
			t.Errorf("%.80s: %d problems", bad, len(problems))
			continue
		}
		entry, ok := errors.AsType[*smokerr.EntryError](problems[0].Err)
		if !ok || entry.What != "order" || entry.Index != 1 || entry.Reason == "" {
			t.Errorf("%.80s: got %v", bad, problems[0].Err)
		}
		raw, err := json.Marshal(problems[0].Raw)
		if err != nil || !json.Valid(raw) || (bad != "null" && problems[0].Raw == nil) {
			t.Errorf("%.80s: the raw order is %v", bad, problems[0].Raw)
		}
	}
}

func TestBadSectionsAreSkippedAndReported(t *testing.T) {
	t.Parallel()
	sections, problems, err := order.FromJSON([]byte(`[5,{},{"orders":5},null,{"orders":[{"type":"wait","time":1}]}]`))
	if err != nil || len(sections) != 1 || len(sections[0].Orders) != 1 {
		t.Fatal(sections, err)
	}
	var at []int
	for _, p := range problems {
		entry, ok := errors.AsType[*smokerr.EntryError](p.Err)
		if !ok || entry.What != "section" {
			t.Fatal(p.Err)
		}
		at = append(at, entry.Index)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3}, at); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBodiesThatAreNoLists(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`5`, `"a"`, `{"orders":[]}`, `[`, `[] []`, `nonsense`, `[]x`} {
		sections, problems, err := order.FromJSON([]byte(body))
		if !errors.Is(err, smokerr.ErrBadEntry) || !errors.Is(err, errkit.Protocol) || sections != nil || problems != nil {
			t.Errorf("%s: got %v, %v, %v", body, sections, problems, err)
		}
	}
	for _, body := range []string{"", " \n", "null", "{}", "[]"} {
		if sections, problems, err := order.FromJSON([]byte(body)); err != nil || len(sections) > 0 || len(problems) > 0 {
			t.Errorf("%q: got %v, %v, %v", body, sections, problems, err)
		}
	}
	for _, body := range []string{"", "\x08", "\x11", "\xff\xff", "\x41"} {
		_, _, err := order.FromMiniJSON([]byte(body))
		if !errors.Is(err, smokerr.Err) || !errors.Is(err, errkit.Protocol) {
			t.Errorf("%q: got %v", body, err)
		}
	}
}

func TestTreeReadsBack(t *testing.T) {
	t.Parallel()
	want := []order.Section{
		{Orders: []order.Order{
			{Type: order.Read, Path: "W1", Advise: order.Force},
			{Type: order.Write, Path: "W1", Value: int64(5), Advise: order.Force, StaleAfter: time.Unix(1795326769, 0)},
			{Type: order.Write, Path: "d1", Value: 0.1, StaleAfter: time.Unix(1795326769, 5e8)},
			{Type: order.Write, Path: "u1", Value: "x"},
			{Type: order.Wait, Wait: 1500 * time.Millisecond},
			{Type: order.Message, UUID: "u"},
			{Type: order.Sysctl, OpType: "update", OpArgs: "now"},
		}},
		{Orders: []order.Order{}, CannotJoin: true},
	}
	packed, err := minijson.Marshal(order.Tree(want))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(order.Tree(want))
	if err != nil {
		t.Fatal(err)
	}
	for name, decode := range map[string]func() ([]order.Section, []order.Problem, error){
		"MiniJSON": func() ([]order.Section, []order.Problem, error) { return order.FromMiniJSON(packed) },
		"JSON":     func() ([]order.Section, []order.Problem, error) { return order.FromJSON(text) },
	} {
		got, problems, err := decode()
		if err != nil || len(problems) > 0 {
			t.Fatal(name, err, problems)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNumbersOfOtherDecoders(t *testing.T) {
	t.Parallel()
	sections, problems, err := order.FromTree([]any{map[string]any{"disposition": 0.0, "orders": []any{
		map[string]any{"type": "write", "path": "W1", "value": 5.0, "advise": 1.0, "stale_after": 10.0},
		map[string]any{"type": "write", "path": "W1", "value": math.NaN(), "stale_after": math.NaN()},
		map[string]any{"type": "wait", "time": math.NaN()},
	}}})
	want := []order.Section{{Orders: []order.Order{
		{Type: order.Write, Path: "W1", Value: 5.0, Advise: order.Force, StaleAfter: time.Unix(10, 0)},
	}}}
	if err != nil || len(problems) != 2 {
		t.Fatal(err, problems)
	}
	if diff := cmp.Diff(want, sections); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMacro(t *testing.T) {
	t.Parallel()
	commands := []order.Command{{Path: "W1", Value: int64(5)}, {Path: "B1", Value: true}, {Path: "W1", Value: 7.0}}
	want := order.Section{Orders: []order.Order{
		{Type: order.Write, Path: "W1", Value: 7.0, Advise: order.Force},
		{Type: order.Write, Path: "B1", Value: true, Advise: order.Force},
	}}
	if diff := cmp.Diff(want, order.Macro(commands)); diff != "" {
		t.Errorf("of two commands for one pathpoint the last one counts (-want +got):\n%s", diff)
	}
}

func TestAdviseString(t *testing.T) {
	t.Parallel()
	if got := order.Advised.String() + " " + order.Force.String(); got != "advise force" {
		t.Errorf("got %q", got)
	}
}

// FuzzDecode checks that any body gives orders that mean something, or typed errors.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`[{"orders":[{"type":"write","path":"W2","value":5,"advise":1,"stale_after":1600000000}],"disposition":1}]`,
		`[{"orders":[{"type":"wait","time":0.25},{"type":"sysctl","op_type":"a","op_args":"b"},{"type":"message","uuid":"u"}]}]`,
		`[5,{},null,{"orders":[5]}]`, `{}`, `5`,
	} {
		f.Add([]byte(seed))
		if packed, err := minijson.FromJSON([]byte(seed)); err == nil {
			f.Add(packed)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, decode := range []func([]byte) ([]order.Section, []order.Problem, error){order.FromJSON, order.FromMiniJSON} {
			sections, problems, err := decode(body)
			if err != nil && (!errors.Is(err, smokerr.Err) || sections != nil) {
				t.Fatalf("%v and %v", sections, err)
			}
			for _, p := range problems {
				if !errors.Is(p.Err, smokerr.ErrBadEntry) {
					t.Fatal(p.Err)
				}
			}
			again, problems, err := order.FromTree(order.Tree(sections))
			if err != nil || len(problems) > 0 || len(again) != len(sections) {
				t.Fatalf("%v reads back as %v, %v, %v", sections, again, problems, err)
			}
		}
	})
}

func BenchmarkFromMiniJSON(b *testing.B) {
	orders := make([]order.Order, 100)
	for i := range orders {
		orders[i] = order.Order{Type: order.Write, Path: "W4711", Value: int64(i), Advise: order.Force}
	}
	body, err := minijson.Marshal(order.Tree([]order.Section{{Orders: orders}}))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := order.FromMiniJSON(body); err != nil {
			b.Fatal(err)
		}
	}
}
