package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

func (a *app) key() *cobra.Command {
	var opts pikvm.ChordOptions
	cmd := a.command(&cobra.Command{
		Use:   "key CHORD...",
		Short: "Press keys and chords of keys",
		Long: `Key presses each of its arguments, one after the other: a key, or several joined by "+" that are pressed together
and released in reverse.

Keys are named by their place on the keyboard, as browsers do (KeyboardEvent.code: KeyQ, Digit1, F12, ArrowUp, NumpadEnter),
or by short names: a to z, 0 to 9, f1 to f24, ctrl, alt, altgr, shift, win, esc, enter, del, ins, pgup, pgdn, up, down, left,
right, space, tab, backspace, caps, prtsc.`,
		Example: `  pikvmctl key ctrl+alt+del
  pikvmctl key down down enter
  pikvmctl key power --hold 5s
  pikvmctl key win+r && pikvmctl type --enter cmd`,
		Args: cobra.MinimumNArgs(1),
	}, func(ctx context.Context, args []string) error {
		for _, chord := range args {
			if _, err := pikvm.ParseShortcut(chord); err != nil {
				return exit.Usagef("%q is no chord: %w", chord, err)
			}
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			for _, chord := range args {
				if err := t.kvm.HID.Chord(ctx, chord, &opts); err != nil {
					return err
				}
			}
			return t.out.done()
		})
	})
	cmd.Flags().DurationVar(&opts.Hold, "hold", 0, "how much longer to hold each of them")
	return cmd
}
