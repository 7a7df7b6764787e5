package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

func (a *app) mouse() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "mouse",
		Short: "Move the mouse, click and scroll",
		Long: `Mouse moves the mouse of the host and works its buttons and its wheel. Negative numbers follow a "--", so that they are
not taken for flags.`,
		Example: `  pikvmctl mouse move 50% 50%
  pikvmctl mouse move 640 360 --screen 1280x720
  pikvmctl mouse click right
  pikvmctl mouse wheel -- 0 -5`,
	}, a.mouseMove(), a.mouseBy(), a.mouseClick(), a.mouseWheel())
}

func (a *app) mouseMove() *cobra.Command {
	var screen string
	cmd := a.command(&cobra.Command{
		Use:   "move X Y",
		Short: "Put the mouse somewhere",
		Long: `Move puts the mouse somewhere on the screen: in per cent of the screen, or in pixels. For pixels the size of the screen
must be known: from --screen, which is faster, or from a picture.`,
		Example: `  pikvmctl mouse move 50% 50%
  pikvmctl mouse move 640 360 --screen 1280x720`,
		Args: cobra.ExactArgs(2),
	}, func(ctx context.Context, args []string) error {
		width, height, err := parseScreen(screen)
		if err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			width, height := width, height
			if width == 0 && !(isPercent(args[0]) && isPercent(args[1])) {
				if width, height, err = t.screen(ctx); err != nil {
					return err
				}
			}
			x, err := position(args[0], width)
			if err != nil {
				return err
			}
			y, err := position(args[1], height)
			if err != nil {
				return err
			}
			if err := t.kvm.HID.MoveTo(ctx, x, y); err != nil {
				return err
			}
			return t.out.done()
		})
	})
	cmd.Flags().StringVar(&screen, "screen", "", "size of the screen, such as 1920x1080")
	return cmd
}

// screen asks the device for the size of the screen.
func (t *target) screen(ctx context.Context) (width, height int, err error) {
	picture, err := t.kvm.Screenshot(ctx, &pikvm.ScreenshotOptions{Preview: &pikvm.PreviewOptions{MaxWidth: 8, MaxHeight: 8}})
	if err != nil {
		return 0, 0, err
	}
	if picture.Width < 2 || picture.Height < 2 {
		return 0, 0, exit.Usagef("the device does not tell the size of the screen: give --screen, or per cent")
	}
	return picture.Width, picture.Height, nil
}

func isPercent(arg string) bool { return strings.HasSuffix(arg, "%") }

// position reads a position on a screen that is size pixels wide or high.
func position(arg string, size int) (int, error) {
	if percent, ok := strings.CutSuffix(arg, "%"); ok {
		value, err := strconv.ParseFloat(percent, 64)
		if err != nil || !(value >= 0 && value <= 100) {
			return 0, exit.Usagef("%q is not 0%% to 100%%", arg)
		}
		const steps = 1 << 16
		return pikvm.MousePosition(int(value/100*(steps-1)+0.5), steps), nil
	}
	pixel, err := strconv.Atoi(arg)
	if err != nil || pixel < 0 || pixel >= size {
		return 0, exit.Usagef("%q is no pixel from 0 to %d", arg, size-1)
	}
	return pikvm.MousePosition(pixel, size), nil
}

// parseScreen reads a size such as "1920x1080"; an empty one is 0, 0.
func parseScreen(text string) (width, height int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	w, h, _ := strings.Cut(text, "x")
	width, errW := strconv.Atoi(w)
	height, errH := strconv.Atoi(h)
	if errW != nil || errH != nil || width < 2 || height < 2 {
		return 0, 0, exit.Usagef("%q is no size such as 1920x1080", text)
	}
	return width, height, nil
}

func (a *app) mouseBy() *cobra.Command {
	return a.mouseStep("by DX DY", "Move a mouse that takes no positions, right and down", (*pikvm.HID).MoveBy)
}

func (a *app) mouseWheel() *cobra.Command {
	return a.mouseStep("wheel DX DY", "Turn the wheel, right and up", (*pikvm.HID).Wheel)
}

// mouseStep is a command with two numbers from -127 to 127.
func (a *app) mouseStep(use, short string, do func(h *pikvm.HID, ctx context.Context, dx, dy int) error) *cobra.Command {
	name, _, _ := strings.Cut(use, " ")
	return a.command(&cobra.Command{
		Use: use, Short: short, Example: "  pikvmctl mouse " + name + " -- 0 -5", Args: cobra.ExactArgs(2),
	}, func(ctx context.Context, args []string) error {
		dx, errX := strconv.Atoi(args[0])
		dy, errY := strconv.Atoi(args[1])
		if errX != nil || errY != nil {
			return exit.Usagef("%s are not two whole numbers", strings.Join(args, " "))
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := do(t.kvm.HID, ctx, dx, dy); err != nil {
				return err
			}
			return t.out.done()
		})
	})
}

func (a *app) mouseClick() *cobra.Command {
	buttons := []string{
		string(pikvm.MouseLeft), string(pikvm.MouseRight), string(pikvm.MouseMiddle),
		string(pikvm.MouseUp), string(pikvm.MouseDown),
	}
	var double bool
	cmd := a.command(&cobra.Command{
		Use:               "click [BUTTON]",
		Short:             "Click a button: left, right, middle, or up and down at the side",
		Example:           "  pikvmctl mouse click\n  pikvmctl mouse click --double",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: words(buttons...),
	}, func(ctx context.Context, args []string) error {
		button := pikvm.MouseLeft
		if len(args) > 0 {
			button = pikvm.MouseButton(args[0])
		}
		clicks := 1
		if double {
			clicks = 2
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			for range clicks {
				if err := t.kvm.HID.Button(ctx, button, pikvm.Tap); err != nil {
					return err
				}
			}
			return t.out.done()
		})
	})
	cmd.Flags().BoolVar(&double, "double", false, "click twice")
	return cmd
}
