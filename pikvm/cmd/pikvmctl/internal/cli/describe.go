package cli

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// describe tells a person what went wrong, in one line for each device, and what to do about it where that is known.
func describe(err error) []string {
	if _, told := errors.AsType[exit.StatusError](err); told {
		return nil
	}
	if fleet, ok := errors.AsType[*pikvm.FleetError](err); ok {
		var all []string
		for _, failure := range fleet.Failed {
			for _, line := range describe(failure.Err) {
				all = append(all, failure.Name+": "+line)
			}
		}
		return all
	}
	text := err.Error()
	if wrong, ok := errors.AsType[*pikvm.ConfigurationError](err); ok {
		text = strings.Replace(text, wrong.Error(), said(wrong.Field)+": "+wrong.Reason, 1)
	}
	text = strings.TrimPrefix(oneLine(text), "pikvm: ")
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return []string{text + " (pikvmctl fingerprint shows the certificate, --pin trusts it)"}
	}
	return []string{text}
}

// said is the word that the command line has for an option or an argument of the client.
func said(field string) string {
	switch field {
	case "baseURL":
		return "url"
	case "PinnedSHA256":
		return "pin"
	case "RootCAsPEM":
		return "ca"
	case "TOTPSecret":
		return "totp-secret"
	case "BusyWait":
		return "busy-wait"
	}
	return strings.ToLower(field)
}

// oneLine makes one line of a text.
func oneLine(text string) string { return strings.Join(strings.FieldsFunc(text, isBreak), "; ") }

func isBreak(r rune) bool { return r == '\n' || r == '\r' }
