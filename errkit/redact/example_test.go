package redact_test

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

func ExampleURLString() {
	fmt.Println(redact.URLString("https://admin:S3CRET@kvm.local/api/msd?token=S3CRET&image=a.iso#S3CRET"))
	fmt.Println(redact.URLString("kvm local:S3CRET@"))
	// Output:
	// https://admin:***@kvm.local/api/msd?token=***&image=a.iso
	// <invalid url>
}

func ExampleError() {
	const password = "correct horse"
	request := &url.Error{Op: "Get", URL: "https://kvm.local/?x=1", Err: errors.New(`bad value "correct horse" in header`)}
	err := redact.Error(errkit.CleanCause(request), password)
	fmt.Println(err)
	// Output: bad value "***" in header
}

func ExampleSecret() {
	login := struct {
		User     string
		Password redact.Secret
	}{"admin", "S3CRET"}
	fmt.Printf("%+v\n", login)
	fmt.Println(len(login.Password.Reveal()))
	// Output:
	// {User:admin Password:***}
	// 6
}

func ExampleExcerpt() {
	fmt.Println(redact.Excerpt([]byte("<html>\n\t<h1>502 Bad Gateway</h1>\n</html>")))
	// Output: <html> <h1>502 Bad Gateway</h1> </html>
}
