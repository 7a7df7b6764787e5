package ngtt_test

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/ngtt"
)

var (
	oidDeviceID    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55338, 0, 0}
	oidEnvironment = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55338, 0, 1}
)

// extensions are those of a device's certificate, from DER.
func extensions(id, environment string) []pkix.Extension {
	return []pkix.Extension{{Id: oidDeviceID, Value: []byte(id)}, {Id: oidEnvironment, Value: []byte(environment)}}
}

// deviceOf issues the credentials of a device.
func deviceOf(t testing.TB, authority *certs.CA) *ngtt.Credentials {
	t.Helper()
	cert, err := authority.Client(device, extensions("\x0c\x06"+device, "\x02\x01\x00")...)
	if err != nil {
		t.Fatal(err)
	}
	cred, err := ngtt.NewCredentials(cert)
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	for name, tc := range map[string]struct {
		id, environment string // DER; empty leaves the extension out
		wantID          string
		wantEnvironment ngtt.Environment
		wantField       string
	}{
		"UTF-8, production":         {id: "\x0c\x06skylab", environment: "\x02\x01\x00", wantID: "skylab"},
		"printable, staging":        {id: "\x13\x011", environment: "\x02\x01\x01", wantID: "1", wantEnvironment: ngtt.Staging},
		"IA5, local, enumerated":    {id: "\x16\x011", environment: "\x0a\x01\x02", wantID: "1", wantEnvironment: ngtt.LocalDevelopment},
		"without device id":         {environment: "\x02\x01\x00", wantField: "device_id"},
		"empty device id":           {id: "\x0c\x00", environment: "\x02\x01\x00", wantField: "device_id"},
		"device id is a number":     {id: "\x02\x01\x05", environment: "\x02\x01\x00", wantField: "device_id"},
		"device id is no UTF-8":     {id: "\x0c\x01\xff", environment: "\x02\x01\x00", wantField: "device_id"},
		"device id truncated":       {id: "\x0c\x06sky", environment: "\x02\x01\x00", wantField: "device_id"},
		"bytes after device id":     {id: "\x0c\x011x", environment: "\x02\x01\x00", wantField: "device_id"},
		"without environment":       {id: "\x0c\x011", wantField: "environment"},
		"unknown environment":       {id: "\x0c\x011", environment: "\x02\x01\x03", wantField: "environment"},
		"negative environment":      {id: "\x0c\x011", environment: "\x02\x01\xff", wantField: "environment"},
		"long environment":          {id: "\x0c\x011", environment: "\x02\x02\x01\x00", wantField: "environment"},
		"environment is text":       {id: "\x0c\x011", environment: "\x0c\x011", wantField: "environment"},
		"bytes after environment":   {id: "\x0c\x011", environment: "\x02\x01\x00\x00", wantField: "environment"},
		"environment is no DER":     {id: "\x0c\x011", environment: "\x02", wantField: "environment"},
		"device id is context data": {id: "\x80\x011", environment: "\x02\x01\x00", wantField: "device_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ext []pkix.Extension
			for _, e := range extensions(tc.id, tc.environment) {
				if len(e.Value) > 0 {
					ext = append(ext, e)
				}
			}
			cert, err := authority.Client("whoever", ext...)
			if err != nil {
				t.Fatal(err)
			}
			cred, err := ngtt.NewCredentials(cert)
			if tc.wantField != "" {
				wantCredentialsError(t, err, tc.wantField)
				return
			}
			if err != nil || cred.DeviceID() != tc.wantID || cred.Environment() != tc.wantEnvironment {
				t.Errorf("%v, %v", cred, err)
			}
		})
	}
}

func newAuthority(t testing.TB) *certs.CA {
	t.Helper()
	authority, err := certs.NewCA("devices")
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func wantCredentialsError(t *testing.T, err error, field string) {
	t.Helper()
	invalid, ok := errors.AsType[*ngtt.InvalidCredentialsError](err)
	if !ok || invalid.Field != field || !errors.Is(err, ngtt.ErrInvalidCredentials) || !errors.Is(err, ngtt.Err) ||
		!errors.Is(err, errkit.Auth) || !errors.Is(err, errkit.NotSent) {
		t.Errorf("error %v, want one about %s", err, field)
	}
}

func TestCredentialsFromPEMAndFiles(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	issue := func() (chain, key []byte) {
		cert, err := authority.Client("pump", extensions("\x0c\x04pump", "\x02\x01\x01")...)
		if err != nil {
			t.Fatal(err)
		}
		if chain, key, err = certs.PEM(cert); err != nil {
			t.Fatal(err)
		}
		return chain, key
	}
	chain, key := issue()
	_, foreign := issue()
	dump := append([]byte("Certificate:\n    Data:\n        Version: 3 (0x2)\n"), chain...)
	both := slices.Concat(dump, key, authority.PEM())

	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, load := range map[string]func() (*ngtt.Credentials, error){
		"PEM":       func() (*ngtt.Credentials, error) { return ngtt.ParseCredentials(chain, key) },
		"with dump": func() (*ngtt.Credentials, error) { return ngtt.ParseCredentials(dump, key) },
		"together":  func() (*ngtt.Credentials, error) { return ngtt.ParseCredentials(both, both) },
		"files":     func() (*ngtt.Credentials, error) { return ngtt.LoadCredentials(file("c", chain), file("k", key)) },
		"one file":  func() (*ngtt.Credentials, error) { return ngtt.LoadCredentials(file("b", both), file("b", both)) },
	} {
		cred, err := load()
		if err != nil || cred.DeviceID() != "pump" || cred.Environment() != ngtt.Staging {
			t.Errorf("%s: %v, %v", name, cred, err)
		}
	}

	none := tls.Certificate{}
	keyless, err := authority.Client("pump", extensions("\x0c\x04pump", "\x02\x01\x01")...)
	if err != nil {
		t.Fatal(err)
	}
	stolen := keyless
	other, err := authority.Client("other")
	if err != nil {
		t.Fatal(err)
	}
	keyless.PrivateKey, stolen.PrivateKey = nil, other.PrivateKey
	for name, tc := range map[string]struct {
		field string
		load  func() (*ngtt.Credentials, error)
	}{
		"no certificate":      {"certificate", func() (*ngtt.Credentials, error) { return ngtt.ParseCredentials(key, key) }},
		"broken certificate":  {"certificate", func() (*ngtt.Credentials, error) { return ngtt.ParseCredentials(broken(chain), key) }},
		"foreign key":         {"key", func() (*ngtt.Credentials, error) { return ngtt.ParseCredentials(chain, foreign) }},
		"no key":              {"key", func() (*ngtt.Credentials, error) { return ngtt.ParseCredentials(chain, nil) }},
		"no certificate file": {"certificate", func() (*ngtt.Credentials, error) { return ngtt.LoadCredentials(dir+"/none", dir+"/none") }},
		"no key file":         {"key", func() (*ngtt.Credentials, error) { return ngtt.LoadCredentials(file("c2", chain), dir+"/none") }},
		"nothing loaded":      {"certificate", func() (*ngtt.Credentials, error) { return ngtt.NewCredentials(none) }},
		"garbage loaded": {"certificate", func() (*ngtt.Credentials, error) {
			return ngtt.NewCredentials(tls.Certificate{Certificate: [][]byte{{1}}})
		}},
		"loaded without key":   {"key", func() (*ngtt.Credentials, error) { return ngtt.NewCredentials(keyless) }},
		"loaded, foreign key":  {"key", func() (*ngtt.Credentials, error) { return ngtt.NewCredentials(stolen) }},
		"loaded, no extension": {"device_id", func() (*ngtt.Credentials, error) { return ngtt.NewCredentials(other) }},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tc.load()
			wantCredentialsError(t, err, tc.field)
		})
	}
	if _, err := ngtt.New(nil, nil); !errors.Is(err, ngtt.ErrInvalidCredentials) {
		t.Errorf("no credentials: %v", err)
	}
}

// broken returns a PEM block whose contents are cut short.
func broken(chain []byte) []byte {
	block, _ := pem.Decode(chain)
	block.Bytes = block.Bytes[:len(block.Bytes)/2]
	return pem.EncodeToMemory(block)
}

// Nothing prints a key.
func TestCredentialsKeepTheKeyToThemselves(t *testing.T) {
	t.Parallel()
	cred := deviceOf(t, newAuthority(t))
	client, err := ngtt.New(cred, &ngtt.Options{Addr: "hub.test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if got, want := fmt.Sprintf(verb, cred), `ngtt.Credentials("pump-1", production)`; got != want {
			t.Errorf("%s prints %s", verb, got)
		}
		if got, want := fmt.Sprintf(verb, client), `ngtt.Client("pump-1", hub.test:2405)`; got != want {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if got := cred.LogValue().String(); got != `ngtt.Credentials("pump-1", production)` {
		t.Errorf("logs %s", got)
	}
}
