package errkit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit"
)

const maxReport = 64 << 10

// marshal writes the report of err and checks that it is within its limit.
func marshal(t *testing.T, err error) []byte {
	t.Helper()
	text, jsonErr := json.Marshal(errkit.NewReport(err))
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	if len(text) > maxReport {
		t.Errorf("the report is %d bytes long", len(text))
	}
	return text
}

// travel sends err to another process.
func travel(t *testing.T, err error) error {
	t.Helper()
	var r *errkit.Report
	if jsonErr := json.Unmarshal(marshal(t, err), &r); jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return r.Err()
}

func TestReportJSON(t *testing.T) {
	t.Parallel()
	hot := &hotError{
		Info: errkit.Info{
			Class: lampHot, Op: "on", Target: "kitchen", Kind: errkit.NotSent, Attempts: 3,
			RetryAfter: 1500*time.Millisecond + time.Nanosecond, Err: errors.Join(errTest, lampTimeout.Wrap("ask", "", nil)),
		},
		Celsius: 90,
	}
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, `null`},
		{"unknown", errTest, `{"v":1,"message":"test"}`},
		{"foreign", io.EOF, `{"v":1,"message":"EOF","kinds":["disconnected"],"transient":true}`},
		{"typed", hot, `{"v":1,"message":"lamp: on kitchen: too hot after 3 attempts: 90 °C: test lamp: ask: timeout","class":"lamp.hot",` +
			`"kinds":["unavailable","notsent"],"op":"on","target":"kitchen","attempts":3,"retry_after_ms":1501,"transient":true,` +
			`"fields":{"celsius":90},"causes":[{"message":"test"},{"message":"lamp: ask: timeout","class":"lamp.timeout","kinds":["timeout"],"op":"ask","transient":true}]}`},
		{"wrapped", fmt.Errorf("in the hall: %w", lampBroken.Wrap("", "", nil)), `{"v":1,"message":"in the hall: lamp: broken","class":"lamp.broken"}`},
		{"joined", errors.Join(lampHot, errTest), `{"v":1,"message":"lamp: too hot\ntest","class":"lamp.hot","kinds":["unavailable"],"causes":[{"message":"lamp: too hot","class":"lamp.hot","kinds":["unavailable"],"transient":true},{"message":"test"}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := string(marshal(t, tc.err)); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// What a report has is the same after it was read again.
func TestReportRoundTrip(t *testing.T) {
	t.Parallel()
	err := &fieldsError{
		Info: errkit.Info{Class: lampHot, Op: "on", RetryAfter: time.Second, Attempts: 2, Err: lampGone.Wrap("ask", "hall", errTest)},
		attrs: []slog.Attr{
			slog.String("text", "a<b>\xff\u2028"), slog.Int("int", -7), slog.Uint64("uint", 7), slog.Float64("float", 1.5),
			slog.Float64("inf", math.Inf(1)), slog.Bool("bool", true), slog.Duration("duration", time.Minute),
			slog.Time("time", time.Unix(0, 0).UTC()), slog.Any("nil", nil), slog.Any("list", []string{"a", "b"}),
			slog.Any("json", json.RawMessage(`{"a":[1,{"b":null}]}`)), slog.Any("error", io.EOF), slog.Any("func", func() {}),
			slog.Group("group", slog.Int("a", 1)), slog.Any("valuer", secretValue{}), slog.Any("bytes", []byte("ab")),
		},
	}
	want := errkit.NewReport(err)
	var got *errkit.Report
	if jsonErr := json.Unmarshal(marshal(t, err), &got); jsonErr != nil {
		t.Fatal(jsonErr)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for key, value := range map[string]any{
		"text": "a<b>\uFFFD\u2028", "int": -7.0, "uint": 7.0, "float": 1.5, "inf": "+Inf", "bool": true, "duration": "1m0s",
		"time": "1970-01-01T00:00:00Z", "nil": nil, "list": []any{"a", "b"}, "json": map[string]any{"a": []any{1.0, map[string]any{"b": nil}}},
		"error": "EOF", "group": map[string]any{"a": 1.0}, "valuer": "hidden", "bytes": "YWI=",
	} {
		if !reflect.DeepEqual(got.Fields[key], value) {
			t.Errorf("field %s is %#v, want %#v", key, got.Fields[key], value)
		}
	}
	// A report that is passed on stays as it is.
	if again := errkit.NewReport(got.Err()); !reflect.DeepEqual(again, got) {
		t.Errorf("passed on it became %+v, want %+v", again, got)
	}
}

// fieldsError is an error with any fields.
type fieldsError struct {
	errkit.Info
	attrs []slog.Attr
}

func (e *fieldsError) Error() string           { return errkit.Message(&e.Info, "") }
func (e *fieldsError) ErrorAttrs() []slog.Attr { return e.attrs }

type secretValue struct{}

func (secretValue) LogValue() slog.Value { return slog.StringValue("hidden") }

func TestReportLimits(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("\x00é<", 1<<15)
	many := make([]error, 1000)
	for i := range many {
		many[i] = lampHot.Wrap(huge, huge, errors.New(huge))
	}
	wide := errors.Join(many...)
	deep := error(lampErr)
	for i := range 300 {
		deep = &hotError{Info: errkit.Info{Class: lampHot, Err: deep}, Celsius: i}
	}
	tree := errors.Join(many[:5]...)
	for range 3 {
		tree = errors.Join(tree, lampHot.Wrap("", "", tree), tree, tree)
	}
	fields := &fieldsError{Info: errkit.Info{Class: lampHot, Op: huge, Target: huge}}
	for i := range 1000 {
		fields.attrs = append(fields.attrs, slog.String(fmt.Sprint(huge[:100], i), huge), slog.Any(fmt.Sprint(i), []string{huge}))
	}
	for name, err := range map[string]error{
		"text": errors.New(huge), "wide": wide, "deep": deep, "tree": tree, "fields": fields,
		"invalid": errors.New(strings.Repeat("\xff", 1<<17)), "invalid and not": errors.New(strings.Repeat("\xffa", 1<<17)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := errkit.NewReport(err)
			checkLimits(t, r, 1)
			remote := travel(t, err)
			if got := len(remote.Error()); got > 1024 {
				t.Errorf("the remote's text is %d bytes long", got)
			}
			if got, want := errkit.CodeOf(remote), errkit.CodeOf(err); got != want {
				t.Errorf("class %q, want %q", got, want)
			}
		})
	}
	if got := depth(errkit.NewReport(deep)); got != 8 {
		t.Errorf("a deep error has a report of %d levels", got)
	}
	if got := len(errkit.NewReport(errors.Join(make16(errTest)...)).Causes); got != 16 {
		t.Errorf("17 causes became %d", got)
	}
}

func make16(err error) []error {
	errs := make([]error, 17)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

func checkLimits(t *testing.T, r *errkit.Report, level int) {
	t.Helper()
	if level > 8 {
		t.Fatal("it is deeper than 8 levels")
	}
	if len(r.Causes) > 16 {
		t.Errorf("%d causes", len(r.Causes))
	}
	for _, s := range []string{r.Message, r.Class, r.Op, r.Target} {
		if len(s) > 4096 || !utf8.ValidString(s) {
			t.Errorf("a string of %d bytes, valid UTF-8: %v", len(s), utf8.ValidString(s))
		}
	}
	for _, c := range r.Causes {
		checkLimits(t, c, level+1)
	}
}

func depth(r *errkit.Report) int {
	deepest := 0
	for _, c := range r.Causes {
		deepest = max(deepest, depth(c))
	}
	return deepest + 1
}

func TestReportDecode(t *testing.T) {
	t.Parallel()
	nest := func(levels int) string {
		return strings.Repeat(`{"causes":[`, levels) + `{}` + strings.Repeat(`]}`, levels)
	}
	for _, tc := range []struct {
		name, in string
		want     errkit.Report
		kind     errkit.Kind // of the error
	}{
		{name: "empty", in: `{}`},
		{name: "null", in: `null`},
		{
			name: "a newer version", in: `{"v":9,"message":"m","colour":{"a":[1]},"kinds":["timeout","purple"]}`,
			want: errkit.Report{Version: 9, Message: "m", Kinds: []string{"timeout", "purple"}},
		},
		{
			name: "numbers with a point", in: `{"v":1.0,"attempts":2.0,"retry_after_ms":1e3}`,
			want: errkit.Report{Version: 1, Attempts: 2, RetryAfter: time.Second},
		},
		{
			name: "numbers out of range", in: `{"v":-1,"attempts":1e300,"retry_after_ms":1e300}`,
			want: errkit.Report{Attempts: math.MaxInt32, RetryAfter: 24 * time.Hour},
		},
		{name: "negative numbers", in: `{"attempts":-5,"retry_after_ms":-5}`},
		{name: "member names in another case", in: `{"Message":"m"}`, want: errkit.Report{Message: "m"}},
		{name: "wrong type", in: `{"message":5}`, kind: errkit.Protocol},
		{name: "wrong type of a cause", in: `{"causes":[5]}`, kind: errkit.Protocol},
		{name: "no object", in: `"text"`, kind: errkit.Protocol},
		{name: "too long", in: `{"message":"` + strings.Repeat("x", maxReport) + `"}`, kind: errkit.TooLarge},
		{name: "much too long", in: `{"message":"` + strings.Repeat("x", 1<<20) + `"}`, kind: errkit.TooLarge},
		{name: "deeper than JSON may be", in: nest(9_000), kind: errkit.Protocol},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got errkit.Report
			err := json.Unmarshal([]byte(tc.in), &got)
			if errkit.Classify(err) != tc.kind || (err != nil) != (tc.kind != 0) {
				t.Fatalf("error %v, want of kind %v", err, tc.kind)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
	for _, levels := range []int{1, 15, 16, 17, 4_000} {
		var r errkit.Report
		if err := json.Unmarshal([]byte(nest(levels)), &r); err != nil {
			t.Errorf("%d levels: %v", levels, err)
		}
		if got, want := depth(&r), min(levels+1, 16); got != want {
			t.Errorf("%d levels became %d, want %d", levels+1, got, want)
		}
	}
	var r errkit.Report
	if err := json.Unmarshal([]byte(`{"causes":[`+strings.Repeat("{},", 1000)+`{}]}`), &r); err != nil || len(r.Causes) != 16 {
		t.Errorf("1001 causes became %d, %v", len(r.Causes), err)
	}
	for _, bomb := range []string{strings.Repeat(`{"causes":[`, 20_000), strings.Repeat(`[`, 20_000), nest(20_000)} {
		if err := json.Unmarshal([]byte(bomb), new(errkit.Report)); err == nil {
			t.Errorf("a bomb of %d bytes was read", len(bomb))
		}
		if err := new(errkit.Report).UnmarshalJSON([]byte(bomb)); err == nil {
			t.Errorf("a bomb of %d bytes was read directly", len(bomb))
		}
	}
}

func TestReportDecodeKeepsOnFailure(t *testing.T) {
	t.Parallel()
	r := errkit.Report{Message: "before"}
	if err := json.Unmarshal([]byte(`{"message":"after","causes":[{"op":1}]}`), &r); err == nil || r.Message != "before" {
		t.Errorf("error %v, report %+v", err, r)
	}
}

func TestNilReport(t *testing.T) {
	t.Parallel()
	var r *errkit.Report
	if err := r.Err(); err != nil {
		t.Errorf("the error of a nil report is %v", err)
	}
	if got := errkit.NewReport(nil); got != nil {
		t.Errorf("the report of nil is %v", got)
	}
}

// FuzzReport reads anything, looks at what came out in every way, and passes it on.
func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"v":1,"message":"m","class":"lamp.hot","kinds":["busy"],"causes":[{"message":"n"},null]}`))
	f.Add([]byte(`{"v":2,"retry_after_ms":1.5,"attempts":1e99,"fields":{"a":[{"b":1e400}]}}`))
	f.Add([]byte(`{"causes":[{"causes":[{"causes":[{"class":"."}]}]}],"message":"\u0000\ud800"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r errkit.Report
		if err := json.Unmarshal(text, &r); err != nil {
			return
		}
		err := r.Err()
		if got := err.Error(); len(got) > 1024 || strings.ContainsAny(got, "\r\n") {
			t.Errorf("text %q", got)
		}
		errors.Is(err, errkit.Err)
		errors.Is(err, lampHot)
		errkit.Detail(err)
		slog.New(slog.NewJSONHandler(&bytes.Buffer{}, nil)).Info("x", errkit.Attr(err))
		again := travel(t, err)
		if errkit.CodeOf(again) != errkit.CodeOf(err) && len(errkit.CodeOf(err)) < 4096 && utf8.ValidString(errkit.CodeOf(err)) && depth(&r) < 8 {
			t.Errorf("passed on, the class became %q", errkit.CodeOf(again))
		}
		if errkit.Transient(again) != errkit.Transient(err) {
			t.Error("passed on, it is judged in another way")
		}
	})
}
