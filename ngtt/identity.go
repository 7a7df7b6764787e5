package ngtt

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Environment says which hub a device belongs to. It is part of the device's certificate.
type Environment int

// The environments.
const (
	Production       Environment = 0
	Staging          Environment = 1
	LocalDevelopment Environment = 2
)

// String returns "production", "staging" or "local development".
func (e Environment) String() string {
	switch e {
	case Production:
		return "production"
	case Staging:
		return "staging"
	case LocalDevelopment:
		return "local development"
	}
	return "environment " + strconv.Itoa(int(e))
}

// Port is the TCP port of the order link, since version 0.20 of the original client.
const Port = 2405

// Host returns the name of the environment's hub, the one of the original client.
func (e Environment) Host() string {
	switch e {
	case Production:
		return "api.smok.co"
	case Staging:
		return "api.test.smok-serwis.pl"
	case LocalDevelopment:
	}
	return "rapid-rs"
}

// The extensions of a device's certificate (IANA private enterprise number 55338).
var (
	oidDeviceID    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55338, 0, 0}
	oidEnvironment = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55338, 0, 1}
)

// extension returns the value of an extension of cert.
func extension(cert *x509.Certificate, oid asn1.ObjectIdentifier) (asn1.RawValue, error) {
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(oid) {
			continue
		}
		var value asn1.RawValue
		rest, err := asn1.Unmarshal(ext.Value, &value)
		switch {
		case err != nil:
			return value, fmt.Errorf("extension %s is not DER", oid)
		case len(rest) > 0:
			return value, fmt.Errorf("extension %s has trailing bytes", oid)
		case value.Class != asn1.ClassUniversal || value.IsCompound:
			return value, fmt.Errorf("extension %s is of another type", oid)
		}
		return value, nil
	}
	return asn1.RawValue{}, fmt.Errorf("no extension %s", oid)
}

// deviceID reads the device id: a UTF8String, PrintableString or IA5String that is not empty.
func deviceID(cert *x509.Certificate) (string, error) {
	value, err := extension(cert, oidDeviceID)
	if err != nil {
		return "", err
	}
	switch value.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String:
	default:
		return "", errors.New("the device id is no text")
	}
	var id string
	if _, err := asn1.Unmarshal(value.FullBytes, &id); err != nil || !utf8.ValidString(id) {
		return "", errors.New("the device id is no valid text")
	}
	if id == "" {
		return "", errors.New("the device id is empty")
	}
	return id, nil
}

// environment reads the environment: an INTEGER or ENUMERATED of 0, 1 or 2.
func environment(cert *x509.Certificate) (Environment, error) {
	value, err := extension(cert, oidEnvironment)
	if err != nil {
		return 0, err
	}
	if value.Tag != asn1.TagInteger && value.Tag != asn1.TagEnum {
		return 0, errors.New("the environment is no number")
	}
	if len(value.Bytes) != 1 || value.Bytes[0] > byte(LocalDevelopment) {
		return 0, errors.New("the environment is unknown")
	}
	return Environment(value.Bytes[0]), nil
}
