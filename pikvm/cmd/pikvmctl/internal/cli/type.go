package cli

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// maxText bounds a text to type: what takes hours is a mistake.
const maxText = 1 << 20

// textSource says where a text comes from.
type textSource struct {
	file   string
	hidden bool
	enter  bool
}

func (a *app) typing() *cobra.Command {
	var (
		source  textSource
		opts    pikvm.TypeOptions
		print   pikvm.PrintOptions
		printed bool
	)
	cmd := a.command(&cobra.Command{
		Use:   "type [TEXT...]",
		Short: "Type a text",
		Long: `Type types its arguments, joined by spaces, or without any what comes on stdin. Line feeds are Enter.

The text is typed key by key for a host with a US layout, or another one of --layout: they are named as in Linux (de, fr,
gb, us-intl). A text with a character that the layout lacks is refused, and nothing is typed. If it is interrupted, nothing
stays pressed. With --escapes, names between angle brackets are keys: 'root<enter>', '<ctrl+c>'; "<<" is a "<".

With --print the device itself types, on any of the layouts that it knows (--keymap). That is faster for long texts, and what
its layout lacks is left out without a word.

Secrets do not belong into arguments, which everybody on your machine can see: use --hidden, --file or stdin.`,
		Example: `  pikvmctl type --enter 'echo hello'
  pikvmctl type < answers.txt
  pikvmctl type --hidden --enter           # asks for the text and does not show it
  pikvmctl type --layout de 'Grüße, 5 €'
  pikvmctl type --escapes 'root<enter>'
  pikvmctl type --print --keymap de < letter.txt`,
	}, func(ctx context.Context, args []string) error {
		text, err := a.text(ctx, args, source)
		if err != nil {
			return err
		}
		if print.Keymap != "" || print.Slow || print.Delay > 0 {
			printed = true
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if printed {
				if err := t.kvm.HID.Print(ctx, text, &print); err != nil {
					return err
				}
				return t.out.done()
			}
			opts := opts
			if opts.Pace == 0 {
				opts.Pace = -1
			}
			if err := t.kvm.HID.Type(ctx, text, &opts); err != nil {
				return err
			}
			return t.out.done()
		})
	})
	cmd.Flags().StringVarP(&source.file, "file", "f", "", "type the content of this `file`")
	cmd.Flags().BoolVar(&source.hidden, "hidden", false, "ask for the text and do not show it")
	cmd.Flags().BoolVarP(&source.enter, "enter", "e", false, "press Enter at the end")
	cmd.Flags().DurationVar(&opts.Pace, "pace", 20*time.Millisecond, "how long to wait between two events; a character has about two")
	cmd.Flags().StringVar(&opts.Layout, "layout", "us", "`layout` of the host")
	cmd.Flags().BoolVar(&opts.Escapes, "escapes", false, "names between angle brackets are keys")
	cmd.Flags().BoolVar(&printed, "print", false, "let the device type")
	cmd.Flags().StringVar(&print.Keymap, "keymap", "", "`layout` on which the device types")
	cmd.Flags().BoolVar(&print.Slow, "slow", false, "let the device wait 20ms before each event")
	cmd.Flags().DurationVar(&print.Delay, "delay", 0, "let the device wait so long before each event")
	cmd.MarkFlagsMutuallyExclusive("file", "hidden")
	cmd.MarkFlagsMutuallyExclusive("slow", "delay")
	for _, device := range []string{"print", "keymap", "slow", "delay"} { // the device has layouts of its own and no escapes
		cmd.MarkFlagsMutuallyExclusive(device, "layout")
		cmd.MarkFlagsMutuallyExclusive(device, "escapes")
	}
	_ = cmd.RegisterFlagCompletionFunc("keymap", a.keymaps()) // fails for flags that are not there
	_ = cmd.RegisterFlagCompletionFunc("layout", oneOf(pikvm.Layouts()...))
	return cmd
}

// text returns the text to type.
func (a *app) text(ctx context.Context, args []string, source textSource) (text string, err error) {
	switch {
	case len(args) > 0 && (source.file != "" || source.hidden):
		return "", exit.Usagef("a text beside --file or --hidden")
	case len(args) > 0:
		text = strings.Join(args, " ")
	case source.hidden && !a.sys.StdinTerminal:
		return "", exit.Usagef("--hidden needs a terminal to ask at")
	case source.hidden:
		text, err = a.ask(ctx, "Text: ")
	case source.file != "":
		text, err = readText(source.file)
	default:
		if a.sys.StdinTerminal {
			a.note("The text, and Ctrl-D at its end:")
		}
		text, err = interruptible(ctx, func() (string, error) { return readAll(a.sys.Stdin) })
	}
	if source.enter {
		text += "\n"
	}
	return text, err
}

func readText(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // was only read
	return readAll(file)
}

func readAll(from io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxText+1))
	if len(text) > maxText {
		return "", exit.Usagef("more than 1 MiB of text")
	}
	return string(text), err
}

// keymaps completes the name of a layout that the device knows.
func (a *app) keymaps() cobra.CompletionFunc {
	complete := a.known(func(ctx context.Context, kvm *pikvm.Client) ([]string, error) {
		keymaps, err := kvm.HID.Keymaps(ctx)
		if err != nil {
			return nil, err
		}
		return keymaps.Available, nil
	})
	return func(cmd *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return complete(cmd, nil, toComplete)
	}
}
