package ngtt_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

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
