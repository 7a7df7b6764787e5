package pikvm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// hostReads returns the text that keys give on a host, which has facts of its own about layouts.
func hostReads(t *testing.T, layout string, keys []pikvm.Key, down []bool) string {
	t.Helper()
	log := make([]pikvmtest.HIDEvent, len(keys))
	for i, key := range keys {
		log[i] = pikvmtest.HIDEvent{Kind: pikvmtest.HIDKey, Name: string(key), Pressed: down[i]}
	}
	text, err := pikvmtest.TypedOn(layout, log)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestLayouts types every character of every layout, in order and backwards, and reads it as a host does.
func TestLayouts(t *testing.T) {
	t.Parallel()
	for _, name := range pikvm.Layouts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			levels, keys := pikvm.LayoutSigns(name)
			if len(levels) < 2 || len(levels) > 4 || levels[0] < keys-2 || slices.Max(levels) > keys {
				t.Errorf("levels of %v signs for %d keys", levels, keys)
			}
			characters := pikvm.LayoutCharacters(name)
			if len(characters) < 95 {
				t.Errorf("%d characters only", len(characters))
			}
			backwards := slices.Clone(characters)
			slices.Reverse(backwards)
			for _, text := range []string{string(characters), string(backwards)} {
				keys, down, err := pikvm.Keystrokes(text, pikvm.TypeOptions{Layout: name})
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(text, hostReads(t, name, keys, down)); d != "" {
					t.Errorf("typed (-want +got):\n%s", d)
				}
			}
		})
	}
}

// TestLayoutTexts checks that layouts have what their languages and a shell need.
func TestLayoutTexts(t *testing.T) {
	t.Parallel()
	const shell = "#!/bin/sh\nPATH=\"$HOME:~/x\" [ -e 'a b' ] && { ls -l | grep ^x > \\z; } || echo @$((1+2)) * `date` 100% <y?\t!,_"
	for name, text := range map[string]string{
		"us": "The quick brown fox", "gb": "£5 ¬ the quick brown fox",
		"de": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, ÄÖÜ, 20 °C, 5 €, µ²",
		"at": "Österreich", "ch": "Zürich, à bientôt, ç", "ch-fr": "Genève, Zürich, à bientôt, ç",
		"fr": "Portez ce vieux whisky au juge blond qui fume : à, é, è, ç, ù, ê, ï, Ë, Ô ; §", "be": "Où ? À Liège, ça va",
		"ca": "Québec, où ça, Noël", "es": "¿Qué? ¡El pingüino Wenceslao hizo kilómetros! Ñandú, Á, º, ª, ç",
		"latam": "¿Qué? ¡Ñandú, pingüino!", "it": "Così è più libertà, perché? ò, À, È, §, °", "pt": "À noite, vovô Kowalsky vê o ímã cair no pé do pinguim, ç, ã, õ",
		"br": "À noite, vovô vê o ímã, ç, õ", "nl": "coördinatie, één, café", "dk": "Høj bly gom vandt fræk sexquiz på wc, Å, É",
		"no": "Vår sære Zulu fra badeøya, É", "se": "Flygande bäckasiner söka hwila på mjuka tuvor, É", "fi": "Törkylempijävongahdus, Å",
		"is": "Kæmi ný öxi hér, ykist þjófum nú bæði víl og ádrepa", "pl": "Pchnąć w tę łódź jeża lub ośm skrzyń fig, ĄĆĘŁŃÓŚŹŻ",
		"cz": "Příliš žluťoučký kůň úpěl ďábelské ódy, Ř, Š, Ú", "sk": "Kŕdeľ šťastných ďatľov učí pri ústí Váhu mĺkveho koňa, ô, ä",
		"hu": "Árvíztűrő tükörfúrógép, ÁÍŰŐÜÖÚÓ", "si": "Šerif bo za vajo spet kuhal domače žgance, ČŽ", "hr": "Gojazni đačić s biciklom drži hmelj, ŠĐČĆŽ",
		"ro": "Înjurând pițigăiat, zoofobul comandă vexat whisky și tequila, ĂÂÎȘȚ", "ee": "Põdur Zagrebi tšellomängija, ÕÄÖÜŠŽ",
		"lt": "Įlinkdama fechtuotojo špaga sublykčiojusi pragręžė apvalų arbūzą", "lv": "Glāžšķūņa rūķīši dzērumā čiepj Baha koncertflīģeļu vākus",
		"tr": "Pijamalı hasta yağız şoföre çabucak güvendi, İIğĞ", "us-intl": "à bientôt, Ñandú, ç, ü",
	} {
		if name != "ca" { // which has no tilde and no grave accent of its own
			text += shell
		}
		keys, down, err := pikvm.Keystrokes(text, pikvm.TypeOptions{Layout: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(text, hostReads(t, name, keys, down)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestKeystrokes checks keys by hand, so that not only the tables agree: dead keys, modifiers in runs, and the choice among
// several keys.
func TestKeystrokes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ layout, text, want string }{
		{"", "aB", "+KeyA -KeyA +ShiftLeft +KeyB -KeyB -ShiftLeft"},
		{"us", "<", "+ShiftLeft +Comma -Comma -ShiftLeft"},
		{"de", "y@", "+KeyZ -KeyZ +AltRight +KeyQ -KeyQ -AltRight"},
		{"de", "é", "+Equal -Equal +KeyE -KeyE"},
		{"de", "É", "+Equal -Equal +ShiftLeft +KeyE -KeyE -ShiftLeft"},
		{"de", "^`", "+Backquote -Backquote +Space -Space +ShiftLeft +Equal -Equal -ShiftLeft +Space -Space"},
		{"de", "[A]", "+AltRight +Digit8 -Digit8 -AltRight +ShiftLeft +KeyA -KeyA -ShiftLeft +AltRight +Digit9 -Digit9 -AltRight"},
		{"fr", "a1", "+KeyQ -KeyQ +ShiftLeft +Digit1 -Digit1 -ShiftLeft"},
		{"fr", "ê", "+BracketLeft -BracketLeft +KeyE -KeyE"},
		{"gb", `\@`, "+IntlBackslash -IntlBackslash +ShiftLeft +Quote -Quote -ShiftLeft"},
		{"es", "ñÑ", "+Semicolon -Semicolon +ShiftLeft +Semicolon -Semicolon -ShiftLeft"},
		{"it", "{", "+AltRight +Digit7 -Digit7 -AltRight"},
		{"pl", "łŁ", "+AltRight +KeyL -KeyL +ShiftLeft +KeyL -KeyL -ShiftLeft -AltRight"},
		{"us-intl", "'é", "+Quote -Quote +Space -Space +Quote -Quote +KeyE -KeyE"},
		{"br", "/", "+IntlRo -IntlRo"},
		{"sv", "å", "+BracketLeft -BracketLeft"}, // as devices call it
	} {
		keys, down, err := pikvm.Keystrokes(tc.text, pikvm.TypeOptions{Layout: tc.layout})
		if d := cmp.Diff(tc.want, spell(keys, down)); d != "" || err != nil {
			t.Errorf("%s %q (-want +got):\n%s%v", tc.layout, tc.text, d, err)
		}
	}
}

// spell writes events as "+KeyA -KeyA".
func spell(keys []pikvm.Key, down []bool) string {
	words := make([]string, len(keys))
	for i, key := range keys {
		words[i] = "-" + string(key)
		if down[i] {
			words[i] = "+" + string(key)
		}
	}
	return strings.Join(words, " ")
}

// TestTypeOnLayout types on whole devices before hosts of several layouts, and lets the devices print the same.
func TestTypeOnLayout(t *testing.T) {
	t.Parallel()
	for layout, tc := range map[string]struct{ keymap, text, print string }{
		"de": {"de", "Grüße, Café @ 5 €\n", "Grüße, Caf @ 5 €\n"}, // devices know no dead keys
		"gb": {"en-gb", "£5 #1", "£5 #1"},
		"fr": {"fr", "ça va, Noël ?", "ça va, Nol ?"},
		"pl": {"pl", "Żółć", "Żółć"},
		"ch": {"de-ch", "Zürich, [Genève]", "Zürich, [Genève]"},
	} {
		t.Run(layout, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{HID: pikvmtest.HIDOptions{Layout: layout}}, nil, func(t *testing.T, f *fake) {
				if err := f.client.HID.Type(t.Context(), tc.text, &pikvm.TypeOptions{Layout: layout}); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.text, f.Typed()); d != "" || len(f.Pressed()) != 0 {
					t.Errorf("typed (-want +got):\n%spressed %v", d, f.Pressed())
				}
				f.ClearHIDLog()
				if err := f.client.HID.Print(t.Context(), tc.text, &pikvm.PrintOptions{Keymap: tc.keymap}); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.print, f.Typed()); d != "" || len(f.Pressed()) != 0 {
					t.Errorf("printed (-want +got):\n%spressed %v", d, f.Pressed())
				}
			})
		})
	}
}
