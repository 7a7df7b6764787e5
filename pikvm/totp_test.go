package pikvm_test

import (
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestTOTP checks the vectors of RFC 6238 appendix B, cut to six digits.
func TestTOTP(t *testing.T) {
	t.Parallel()
	key, err := pikvm.ParseTOTPSecret("gezd gnbv GY3T-QOJQ\tGEZDGNBVGY3TQOJQ====")
	if err != nil {
		t.Fatal(err)
	}
	if string(key) != "12345678901234567890" {
		t.Fatalf("key is %q", key)
	}
	for at, want := range map[int64]string{
		59:          "287082",
		1111111109:  "081804",
		1111111111:  "050471",
		1234567890:  "005924",
		2000000000:  "279037",
		20000000000: "353130",
	} {
		if got := pikvm.TOTP(key, time.Unix(at, 0)); got != want {
			t.Errorf("code at %d is %s, want %s", at, got, want)
		}
	}
}
