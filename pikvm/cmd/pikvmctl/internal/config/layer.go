package config

import (
	"fmt"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// Layer is what one source says of a device: the command line, the environment, the device's table in the file, or the
// table of defaults. Empty fields say nothing.
type Layer struct {
	URL            string `toml:"url"`
	User           string `toml:"user"`
	Auth           string `toml:"auth"` // "headers", "basic" or "cookie"
	PasswordFile   string `toml:"password_file"`
	TOTPSecretFile string `toml:"totp_secret_file"`
	CA             string `toml:"ca"`       // file with the certificates to trust
	Pin            string `toml:"pin"`      // SHA-256 of the certificate to trust
	Insecure       *bool  `toml:"insecure"` // trust everything
	Timeout        string `toml:"timeout"`

	// Password and TOTPSecret come from the environment alone. Nil means that it does not say.
	Password, TOTPSecret *redact.Secret `toml:"-"`
}

// Names of the environment's variables.
const (
	EnvConfig         = "PIKVM_CONFIG"
	EnvDevice         = "PIKVM_DEVICE"
	EnvURL            = "PIKVM_URL"
	EnvUser           = "PIKVM_USER"
	EnvAuth           = "PIKVM_AUTH"
	EnvPassword       = "PIKVM_PASSWORD"
	EnvPasswordFile   = "PIKVM_PASSWORD_FILE"
	EnvTOTPSecret     = "PIKVM_TOTP_SECRET"
	EnvTOTPSecretFile = "PIKVM_TOTP_SECRET_FILE"
	EnvCA             = "PIKVM_CA"
	EnvPin            = "PIKVM_PIN"
	EnvInsecure       = "PIKVM_INSECURE"
	EnvTimeout        = "PIKVM_TIMEOUT"
)

// FromEnv reads the environment.
func FromEnv(getenv func(string) string) (Layer, error) {
	l := Layer{
		URL: getenv(EnvURL), User: getenv(EnvUser), Auth: getenv(EnvAuth),
		PasswordFile: getenv(EnvPasswordFile), TOTPSecretFile: getenv(EnvTOTPSecretFile),
		CA: getenv(EnvCA), Pin: getenv(EnvPin), Timeout: getenv(EnvTimeout),
		Password: secret(getenv(EnvPassword)), TOTPSecret: secret(getenv(EnvTOTPSecret)),
	}
	if text := getenv(EnvInsecure); text != "" {
		insecure, err := strconv.ParseBool(text)
		if err != nil {
			return Layer{}, fmt.Errorf("%s is neither true nor false", EnvInsecure)
		}
		l.Insecure = &insecure
	}
	return l, nil
}

func secret(text string) *redact.Secret {
	if text == "" {
		return nil
	}
	s := redact.Secret(text)
	return &s
}

// over returns what l says, and where it says nothing what the next layer says. What belongs together comes from one
// layer: a pin must not meet the certificates of another layer, nor a password file another password.
func (l Layer) over(next Layer) Layer {
	if !l.trusts() {
		l.CA, l.Pin, l.Insecure = next.CA, next.Pin, next.Insecure
	}
	if l.Password == nil && l.PasswordFile == "" {
		l.Password, l.PasswordFile = next.Password, next.PasswordFile
	}
	if l.TOTPSecret == nil && l.TOTPSecretFile == "" {
		l.TOTPSecret, l.TOTPSecretFile = next.TOTPSecret, next.TOTPSecretFile
	}
	for _, pair := range [][2]*string{
		{&l.URL, &next.URL}, {&l.User, &next.User}, {&l.Auth, &next.Auth}, {&l.Timeout, &next.Timeout},
	} {
		if *pair[0] == "" {
			*pair[0] = *pair[1]
		}
	}
	return l
}

func (l Layer) trusts() bool { return l.CA != "" || l.Pin != "" || l.Insecure != nil }

// timeout reads the limit of a request.
func (l Layer) timeout() (time.Duration, error) {
	if l.Timeout == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(l.Timeout)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("the timeout %q is no duration such as 20s", l.Timeout)
	}
	return d, nil
}
