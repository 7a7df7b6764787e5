package errkit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// The classes of a module for heaters.
var (
	Err       = errkit.NewClass("heater", "", 0)
	ErrHot    = Err.New("hot", "too hot", errkit.Unavailable)
	ErrClosed = Err.New("closed", "client closed", errkit.Closed|errkit.NotSent)
)

// HotError reports a heater that must cool down first.
type HotError struct {
	errkit.Info
	Celsius int
}

func (e *HotError) Error() string {
	return errkit.Message(&e.Info, strconv.Itoa(e.Celsius)+" °C")
}

// ErrorAttrs returns the temperature for structured logs and reports.
func (e *HotError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("celsius", e.Celsius)}
}

// hot is the constructor of HotError: the one place that knows how such an error is filled.
func hot(op, target string, celsius int, cause error) error {
	return &HotError{
		Info: errkit.Info{
			Class: ErrHot, Op: op, Target: redact.URLString(target), RetryAfter: time.Minute,
			Kind: errkit.TransportKind(cause), Err: errkit.CleanCause(cause),
		},
		Celsius: celsius,
	}
}

// MeltedError is a HotError that cannot be helped.
type MeltedError struct{ HotError }

// ErrMelted is the class of a MeltedError, below ErrHot.
var ErrMelted = ErrHot.New("melted", "melted", errkit.Exhausted)

// As makes a MeltedError a HotError for errors.As: the same memory, no copy.
func (e *MeltedError) As(target any) bool {
	p, ok := target.(**HotError)
	if ok {
		*p = &e.HotError
	}
	return ok
}

func Example() {
	err := hot("on", "https://heater.local/api?token=S3CRET", 90, nil)
	fmt.Println(err)

	if e, ok := errors.AsType[*HotError](err); ok { // except HotError as e
		fmt.Println("it has", e.Celsius, "°C, op", e.Op)
	}
	switch { // several except clauses
	case errors.Is(err, ErrClosed):
		fmt.Println("closed")
	case errors.Is(err, errkit.Timeout), errors.Is(err, errkit.Unavailable):
		fmt.Println("cannot serve now:", errkit.KindOf(err))
	case errors.Is(err, Err):
		fmt.Println("some other error of the module")
	}
	if d, ok := errkit.RetryAfter(err); ok && errkit.Transient(err) {
		fmt.Println("again in", d)
	}
	// Output:
	// heater: on https://heater.local/api?token=***: too hot: 90 °C
	// it has 90 °C, op on
	// cannot serve now: unavailable
	// again in 1m0s
}

// A subtype matches the classes above it and is found as its parent type.
func Example_subtype() {
	var err error = &MeltedError{HotError{Info: errkit.Info{Class: ErrMelted, Op: "on"}, Celsius: 900}}
	e, ok := errors.AsType[*HotError](err)
	fmt.Println(errors.Is(err, ErrHot), ok, e.Celsius, errkit.Transient(err))
	// Output: true true 900 false
}

func ExampleClass_Wrap() {
	err := ErrClosed.Wrap("on", "kitchen", io.ErrUnexpectedEOF) // raise ErrClosed from e
	fmt.Println(err)
	fmt.Println(errors.Is(err, ErrClosed), errors.Is(err, io.ErrUnexpectedEOF))
	// Output:
	// heater: on kitchen: client closed: unexpected EOF
	// true true
}

func ExampleKindOf() {
	fmt.Println(errkit.KindOf(fmt.Errorf("asking: %w", context.DeadlineExceeded)))
	fmt.Println(errkit.KindOf(errors.Join(ErrHot, io.EOF)))
	// Output:
	// timeout
	// disconnected|unavailable
}

func ExampleTransient() {
	// A call with effects, such as the press of a button, is repeated only if the first one was certainly not sent.
	for _, err := range []error{errkit.Timeout, errkit.Connection | errkit.NotSent, errkit.Auth} {
		fmt.Printf("%v: later %v, at once and safely %v\n", err, errkit.Transient(err), errkit.Transient(err) && errors.Is(err, errkit.NotSent))
	}
	// Output:
	// timeout: later true, at once and safely false
	// connection|notsent: later true, at once and safely true
	// auth: later false, at once and safely false
}

func ExampleAll() {
	err := errors.Join(hot("on", "kitchen", 90, nil), io.EOF, hot("on", "hall", 80, nil)) // an ExceptionGroup
	for e := range errkit.All[*HotError](err) {                                           // except* HotError
		fmt.Println(e.Target, e.Celsius)
	}
	// Output:
	// kitchen 90
	// hall 80
}

func ExampleFromContext() {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("the house is being left"))
	err := errkit.FromContext(ctx)
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, errkit.Canceled))
	// Output:
	// context canceled: the house is being left
	// true true
}

func ExampleAttr() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, withoutTime))
	err := fmt.Errorf("in the morning: %w", hot("on", "kitchen", 90, nil))
	logger.LogAttrs(context.Background(), slog.LevelWarn, "not heated", errkit.Attr(err)) // logging.warning(..., exc_info=e)
	// Output:
	// level=WARN msg="not heated" error.msg="in the morning: heater: on kitchen: too hot: 90 °C" error.class=heater.hot error.kinds=[unavailable] error.op=on error.target=kitchen error.celsius=90 error.retry_after=1m0s error.transient=true
}

func ExampleDetail() {
	fmt.Println(errkit.Detail(hot("on", "kitchen", 90, fmt.Errorf("asking: %w", io.EOF)))) // traceback.print_exception(e)
	// Output:
	// heater: on kitchen: too hot: 90 °C: asking: EOF
	//   *errkit_test.HotError class=heater.hot kinds=disconnected|unavailable op=on target=kitchen celsius=90 retry_after=1m0s
	//     *fmt.wrapError: asking: EOF
	//       *errors.errorString: EOF
}

func ExampleReport() {
	text, err := json.Marshal(errkit.NewReport(hot("on", "kitchen", 90, nil))) // here
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text))

	var report *errkit.Report
	if err := json.Unmarshal(text, &report); err != nil { // in another process
		fmt.Println(err)
		return
	}
	there := report.Err()
	fmt.Println(there)
	fmt.Println(errors.Is(there, ErrHot), errors.Is(there, errkit.Unavailable), errkit.Transient(there))
	// Output:
	// {"v":1,"message":"heater: on kitchen: too hot: 90 °C","class":"heater.hot","kinds":["unavailable"],"op":"on","target":"kitchen","retry_after_ms":60000,"transient":true,"fields":{"celsius":90}}
	// heater: on kitchen: too hot: 90 °C
	// true true true
}
