package ngtt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/fieldlink-go/fieldlink/ngtt/internal/link"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
)

// newDialer checks the options that say how to reach the hub.
func newDialer(credentials *Credentials, o *Options) (*link.Dialer, error) {
	addr := o.Addr
	if addr == "" {
		addr = credentials.Environment().Host()
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil { // there is no port, or it is no address at all
		host, port = strings.Trim(addr, "[]"), strconv.Itoa(Port)
		addr = net.JoinHostPort(host, port)
		_, _, err = net.SplitHostPort(addr)
	}
	if n, notNumber := strconv.Atoi(port); err != nil || host == "" || notNumber != nil || n < 1 || n > 65535 {
		return nil, ngtterr.Configuration("New", "Addr", "not host:port")
	}
	config, err := tlsConfig(credentials, o, host)
	if err != nil {
		return nil, err
	}
	return &link.Dialer{
		Addr: addr, CustomAddr: o.Addr != "", TLS: config, Timeout: o.ConnectTimeout, DialContext: o.DialContext,
		Options: o.link(addr),
	}, nil
}

func tlsConfig(credentials *Credentials, o *Options, host string) (*tls.Config, error) {
	config := o.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS12
	}
	config.Time = o.Time
	config.ServerName = cmp.Or(o.ServerName, config.ServerName, host)
	// Without a look at the authorities that the hub asks for: it is up to the hub to refuse, and then we know.
	certificate := credentials.Certificate()
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }

	chosen := ""
	for _, way := range []struct {
		field string
		set   bool
	}{
		{"RootCAs", o.RootCAs != nil},
		{"PinnedSHA256", o.PinnedSHA256 != ""},
		{"InsecureSkipTLSVerify", o.InsecureSkipTLSVerify},
	} {
		switch {
		case !way.set:
		case chosen != "":
			return nil, ngtterr.Configuration("New", way.field, "set beside "+chosen)
		default:
			chosen = way.field
		}
	}
	switch chosen {
	case "RootCAs":
		config.RootCAs, config.InsecureSkipVerify = o.RootCAs, false
	case "PinnedSHA256":
		pin, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(o.PinnedSHA256), ":", ""))
		if err != nil || len(pin) != sha256.Size {
			return nil, ngtterr.Configuration("New", chosen, "not 32 bytes in hexadecimal")
		}
		config.InsecureSkipVerify = true // VerifyConnection decides instead
		config.VerifyConnection = verifyPin(pin)
	case "InsecureSkipTLSVerify":
		config.InsecureSkipVerify = true
	default:
		if o.Addr == "" && config.RootCAs == nil && !config.InsecureSkipVerify {
			return nil, ngtterr.Configuration("New", "RootCAs",
				"missing: the hub "+host+" has a certificate of a private authority")
		}
	}
	return config, nil
}

// verifyPin accepts the leaf certificate with this fingerprint, whatever else there is to say of it.
func verifyPin(pin []byte) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		leaf := sha256.Sum256(state.PeerCertificates[0].Raw)
		if bytes.Equal(leaf[:], pin) {
			return nil
		}
		return &tls.CertificateVerificationError{
			UnverifiedCertificates: state.PeerCertificates, Err: errors.New("the hub's certificate is not the pinned one"),
		}
	}
}
