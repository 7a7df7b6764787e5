package pikvm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// did writes all input that reached a host, without what comes of chance.
func did(f *fake) string {
	var all []string
	for _, ev := range f.HIDLog() {
		word := fmt.Sprintf("%s(%d,%d)", ev.Kind, ev.X, ev.Y)
		switch {
		case ev.Pressed:
			word = "+" + ev.Name
		case ev.Name != "":
			word = "-" + ev.Name
		case ev.Kind == pikvmtest.HIDMove && max(ev.X, -ev.X, ev.Y, -ev.Y) <= 5:
			word = "move(near the middle)"
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

// TestRunMacro runs every step of the web interface, over REST and over the event socket.
func TestRunMacro(t *testing.T) {
	t.Parallel()
	const keys = "+ControlLeft +KeyC -KeyC -ControlLeft "
	const moves = "move(-100,32767) +left -left wheel(0,-3) move(near the middle)"
	for name, tc := range map[string]struct {
		socket bool
		output string // of the mouse
		want   string // besides what is printed
	}{
		"REST": {false, "", keys + moves}, "socket": {true, "", keys + moves},
		"REST, relative":   {false, "usb_rel", keys + "+left -left relative(5,-5) relative(127,-127) wheel(0,-3)"},
		"socket, relative": {true, "usb_rel", keys + "+left -left relative(5,-5) relative(127,-127) wheel(0,-3)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var device pikvmtest.Options
			if tc.output != "" {
				device.HID.MouseOutputs = []string{tc.output}
			}
			inBubble(t, &device, nil, func(t *testing.T, f *fake) {
				var opts pikvm.MacroOptions
				if tc.socket {
					opts.Session = f.open(t, nil)
					knowsATX(t, opts.Session)
				}
				var steps []string
				opts.OnStep = func(p pikvm.MacroProgress) {
					steps = append(steps, p.Path+" "+p.Step.Type())
					if p.Total != len(uiMacro) || p.Loop != 1 {
						t.Errorf("%+v", p)
					}
				}
				begin := time.Now()
				if err := f.client.RunMacro(t.Context(), uiMacro, &opts); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				const printed = "+KeyE -KeyE +KeyC -KeyC +KeyH -KeyH +KeyO -KeyO +Space -Space +Quote -Quote +KeyH -KeyH +KeyI -KeyI +Quote -Quote +Enter -Enter +KeyX -KeyX "
				if d := cmp.Diff(tc.want, strings.Replace(did(f), printed, "", 1)); d != "" || f.Typed() != "echo 'hi'\nx" {
					t.Errorf("input (-want +got):\n%stext %q", d, f.Typed())
				}
				if log := f.PowerLog(); len(log) == 0 || log[0].Kind != pikvmtest.PowerPressed {
					t.Errorf("power: %v", log)
				}
				if log := f.GPIOLog(); len(log) < 2 || log[0].Channel != "relay1" || log[1].Channel != "button1" {
					t.Errorf("GPIO: %v", log)
				}
				if len(steps) != len(uiMacro) || steps[5] != "5 print" {
					t.Errorf("steps: %q", steps)
				}
				// 250ms, 22 printed events of 20ms, and 10ms to 20ms by chance.
				if took := time.Since(begin); took < 700*time.Millisecond || took > 710*time.Millisecond {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// TestRunMacroExtensions waits for power and for a text, takes a picture, and repeats.
func TestRunMacroExtensions(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		m := pikvm.Macro{
			pikvm.MacroATX{Button: pikvm.ButtonPower},
			pikvm.MacroWaitPower{On: true},
			pikvm.MacroRepeat{Count: 2, Steps: pikvm.Macro{
				pikvm.MacroPrint{Text: "a"}, pikvm.MacroRepeat{Count: 2, Steps: pikvm.Macro{pikvm.MacroPrint{Text: "b"}}},
			}},
			pikvm.MacroWaitText{Pattern: `log.n:`},
			pikvm.MacroScreenshot{Name: "login"},
			pikvm.MacroPrint{Text: "root\n"},
		}
		time.AfterFunc(20*time.Second, func() { f.SetScreenText("host login:") })
		var steps, pictures []string
		err := f.client.RunMacro(t.Context(), m, &pikvm.MacroOptions{
			OnStep: func(p pikvm.MacroProgress) { steps = append(steps, fmt.Sprint(p.Index, "/", p.Path)) },
			Picture: func(name string, picture *pikvm.Snapshot) error {
				pictures = append(pictures, name+fmt.Sprintf(" %x", picture.JPEG[:2]))
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff("abbabbroot\n", f.Typed()); d != "" || !f.HostPower() {
			t.Errorf("typed (-want +got):\n%s", d)
		}
		want := []string{
			"0/0", "1/1", "2/2", "2/2.0", "2/2.1", "2/2.1.0", "2/2.1.0", "2/2.0", "2/2.1", "2/2.1.0", "2/2.1.0", "3/3", "4/4", "5/5",
		}
		if d := cmp.Diff(want, steps); d != "" || len(pictures) != 1 || pictures[0] != "login ffd8" {
			t.Errorf("steps (-want +got):\n%spictures %q", d, pictures)
		}
	})
}

// TestRunMacroTimes checks loops and speed, and that a dry run does nothing.
func TestRunMacroTimes(t *testing.T) {
	t.Parallel()
	m := pikvm.Macro{pikvm.MacroDelay{Duration: time.Second}, pikvm.MacroKey{Key: "KeyA", Pressed: true}, pikvm.MacroKey{Key: "KeyA"}}
	for name, tc := range map[string]struct {
		opts  pikvm.MacroOptions
		took  time.Duration
		typed string
		steps int
	}{
		"plain":       {pikvm.MacroOptions{}, time.Second, "a", 3},
		"thrice":      {pikvm.MacroOptions{Loops: 3}, 3 * time.Second, "aaa", 9},
		"fast":        {pikvm.MacroOptions{Speed: 4, Loops: 2}, 500 * time.Millisecond, "aa", 6},
		"slow":        {pikvm.MacroOptions{Speed: 0.5}, 2 * time.Second, "a", 3},
		"dry":         {pikvm.MacroOptions{DryRun: true, Loops: 5}, 0, "", 3},
		"dry, always": {pikvm.MacroOptions{DryRun: true, Loops: -1}, 0, "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				steps, begin := 0, time.Now()
				tc.opts.OnStep = func(pikvm.MacroProgress) { steps++ }
				if err := f.client.RunMacro(t.Context(), m, &tc.opts); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took != tc.took || f.Typed() != tc.typed || steps != tc.steps {
					t.Errorf("took %v, typed %q in %d steps", took, f.Typed(), steps)
				}
				if name[:3] == "dry" && len(f.Requests()) != 0 {
					t.Errorf("%d requests", len(f.Requests()))
				}
			})
		})
	}
	t.Run("always", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
			defer cancel()
			err := f.client.RunMacro(ctx, m, &pikvm.MacroOptions{Loops: -1})
			e, _ := errors.AsType[*pikvm.MacroError](err)
			if e == nil || e.Loop != 11 || e.Path != "0" || !errors.Is(err, context.DeadlineExceeded) || f.Typed() != "aaaaaaaaaa" {
				t.Errorf("typed %q, %v", f.Typed(), err)
			}
			if err := f.client.RunMacro(t.Context(), nil, &pikvm.MacroOptions{Loops: -1}); err != nil {
				t.Error(err) // nothing, however often
			}
		})
	})
}

// TestRunMacroStops checks that whatever stops a macro, the error tells the step, and nothing stays pressed.
func TestRunMacroStops(t *testing.T) {
	t.Parallel()
	held := func(steps ...pikvm.MacroStep) pikvm.Macro {
		return append(pikvm.Macro{
			pikvm.MacroKey{Key: "ShiftLeft", Pressed: true}, pikvm.MacroButton{Button: "left", Pressed: true},
		}, steps...)
	}
	const send = "/api/hid/events/send_key"
	for name, tc := range map[string]struct {
		macro   pikvm.Macro
		prepare func(f *fake, cancel func())
		want    error
		path    string
	}{
		"canceled": {
			held(pikvm.MacroDelay{Duration: time.Hour}),
			func(_ *fake, cancel func()) { time.AfterFunc(time.Minute, cancel) }, context.Canceled, "2",
		},
		"refused": {
			held(pikvm.MacroPulse{Channel: "nowhere"}), func(*fake, func()) {}, pikvm.ErrNotFound, "2",
		},
		"no answer": {
			held(pikvm.MacroRepeat{Count: 5, Steps: pikvm.Macro{pikvm.MacroKey{Key: "KeyA", Pressed: true}}}),
			func(f *fake, _ func()) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultLost, Path: send, Skip: 1, Times: 1})
			},
			pikvm.ErrConnect, "2.0",
		},
		"text not seen": {
			held(pikvm.MacroWaitText{Pattern: "nothing like it", Timeout: 20 * time.Second}), func(*fake, func()) {}, pikvm.ErrScreen, "2",
		},
		"power not seen": {
			held(pikvm.MacroWaitPower{On: true, Timeout: 20 * time.Second}), func(*fake, func()) {}, pikvm.ErrPower, "2",
		},
		"picture refused": {held(pikvm.MacroScreenshot{}), func(*fake, func()) {}, errNoRoom, "2"},
		"client closed": {
			held(pikvm.MacroDelay{Duration: time.Hour}),
			func(f *fake, _ func()) { time.AfterFunc(time.Minute, func() { _ = f.client.Close() }) }, pikvm.ErrClosed, "2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tc.prepare(f, cancel)
				err := f.client.RunMacro(ctx, tc.macro, &pikvm.MacroOptions{
					Picture: func(string, *pikvm.Snapshot) error { return errNoRoom },
				})
				e, _ := errors.AsType[*pikvm.MacroError](err)
				if e == nil || e.Path != tc.path || !errors.Is(err, tc.want) || !errors.Is(err, pikvm.ErrMacro) || errors.Is(err, errkit.NotSent) ||
					errkit.KindOf(err).Has(errkit.NotSent) {
					t.Fatalf("error is %v, want %v", err, tc.want)
				}
				if name == "client closed" { // nothing can be sent any more
					if len(e.Stuck) != 1 || len(e.StuckButtons) != 1 {
						t.Errorf("%+v", e)
					}
					return
				}
				if len(f.Pressed()) != 0 || e.Stuck != nil || e.StuckButtons != nil {
					t.Errorf("pressed %v, %+v", f.Pressed(), e)
				}
				if err := f.client.RunMacro(t.Context(), pikvm.Macro{pikvm.MacroPrint{Text: "ok"}}, nil); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
	t.Run("end", func(t *testing.T) { // what a macro forgets to release
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			s := f.open(t, nil)
			knowsATX(t, s)
			if err := f.client.RunMacro(t.Context(), held(), &pikvm.MacroOptions{Session: s}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if d := cmp.Diff("+ShiftLeft +left -ShiftLeft -left", did(f)); d != "" {
				t.Errorf("input (-want +got):\n%s", d)
			}
		})
	})
	t.Run("stuck", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: send, Skip: 1})
			err := f.client.RunMacro(t.Context(), held(), nil)
			e, _ := errors.AsType[*pikvm.MacroError](err)
			if e == nil || cmp.Diff([]pikvm.Key{"ShiftLeft"}, e.Stuck) != "" || e.StuckButtons != nil || !strings.Contains(err.Error(), "may still be pressed") {
				t.Errorf("error is %v", err)
			}
		})
	})
	t.Run("never begun", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			f.network.Refuse("kvm.example:80")
			err := f.client.RunMacro(t.Context(), held(), nil)
			if e, _ := errors.AsType[*pikvm.MacroError](err); e == nil || e.Path != "0" || !errors.Is(err, errkit.NotSent) {
				t.Errorf("error is %v", err)
			}
		})
	})
}

var errNoRoom = errors.New("no room")

// TestRunMacroRefusals checks that nothing is sent when options or macro are wrong.
func TestRunMacroRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
	for name, opts := range map[string]*pikvm.MacroOptions{
		"speed": {Speed: -1}, "no speed": {Speed: math.NaN()}, "too fast": {Speed: math.Inf(1)}, "strict": {Strict: true},
	} {
		if err := c.RunMacro(t.Context(), extended, opts); !errors.Is(err, pikvm.ErrConfiguration) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		other := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
		if err := other.RunMacro(t.Context(), uiMacro, &pikvm.MacroOptions{Session: f.open(t, nil)}); !errors.Is(err, pikvm.ErrConfiguration) {
			t.Error(err)
		}
	})
}
