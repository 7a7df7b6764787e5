package pikvm

import (
	"fmt"
	"log/slog"
)

// String returns what may be shown of the options: whose credentials they hold and how these are used.
func (o Options) String() string {
	if o.User == "" {
		o.User = defaultUser
	}
	return fmt.Sprintf("pikvm.Options{User: %q, Auth: %s}", o.User, o.Auth)
}

// Format prints [Options.String] whatever the verb, so that no password gets into a text.
func (o Options) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(o.String())) } // fmt reports a failed write itself

// LogValue logs [Options.String].
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// String returns what may be shown of the options: whose credentials they hold.
func (o LoginOptions) String() string { return fmt.Sprintf("pikvm.LoginOptions{User: %q}", o.User) }

// Format prints [LoginOptions.String] whatever the verb, so that no password gets into a text.
func (o LoginOptions) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(o.String())) } // fmt reports a failed write itself

// LogValue logs [LoginOptions.String].
func (o LoginOptions) LogValue() slog.Value { return slog.StringValue(o.String()) }

// String returns the address of the device.
func (c *Client) String() string { return "pikvm.Client(" + c.target + ")" }

// Format prints [Client.String] whatever the verb, so that no password gets into a text.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) } // fmt reports a failed write itself
