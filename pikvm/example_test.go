package pikvm_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// switchOn is the program of the README.
func switchOn(ctx context.Context, url, password, pin string) error {
	kvm, err := pikvm.New(url, &pikvm.Options{Password: password, PinnedSHA256: pin})
	if err != nil {
		return err
	}
	defer kvm.Close()

	before, err := kvm.ATX.State(ctx)
	if err != nil {
		return err
	}
	fmt.Println("power LED before:", before.LEDs.Power)
	if err := kvm.ATX.PowerOn(ctx, nil); err != nil {
		return err
	}
	after, err := kvm.ATX.State(ctx)
	if err != nil {
		return err
	}
	fmt.Println("power LED after:", after.LEDs.Power)
	return nil
}

// explain is the table of errors of the README as a program.
func explain(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, pikvm.ErrAuth):
		return "check user name and password"
	case errors.Is(err, pikvm.ErrBusy):
		return "somebody else is pressing the button"
	case errors.Is(err, pikvm.ErrConnectionTimeout):
		return "no answer in time"
	case errors.Is(err, pikvm.ErrConnect) && errors.Is(err, errkit.Auth):
		return "the certificate is not the one that is trusted"
	case errors.Is(err, pikvm.ErrConnect):
		return "cannot reach the PiKVM"
	}
	if e, ok := errors.AsType[*pikvm.APIError](err); ok { // also of *AuthError and the like
		return fmt.Sprintf("the device says %d %s: %s", e.StatusCode, e.Code, e.Message)
	}
	return err.Error()
}

// watchPower follows the power LED until it is off.
func watchPower(ctx context.Context, kvm *pikvm.Client) error {
	session, err := kvm.Events(ctx, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	_, err = session.Wait(ctx, func(state *pikvm.State) bool {
		atx, ok := state.ATX()
		return ok && !atx.LEDs.Power
	})
	return err
}

// install uploads an image and shows it to the host as a CD-ROM.
func install(ctx context.Context, kvm *pikvm.Client, path string) error {
	image, err := kvm.MSD.UploadFile(ctx, path, "", &pikvm.UploadOptions{
		Replace:  true,
		Progress: func(sent, size int64) { fmt.Printf("%d %%\n", 100*sent/size) },
	})
	if err != nil {
		return err
	}
	return kvm.MSD.Mount(ctx, image.Name, &pikvm.MountOptions{CDROM: true})
}

// enterSetup presses Enter when the host asks for it and waits until it does something.
func enterSetup(ctx context.Context, kvm *pikvm.Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	prompt, err := kvm.WaitForText(ctx, regexp.MustCompile(`(?i)press enter`), nil)
	if err != nil {
		return err
	}
	before, err := kvm.Screenshot(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Printf("the host says %q\n", strings.TrimSpace(prompt.Text))
	if err := kvm.HID.Key(ctx, "Enter", pikvm.Tap); err != nil {
		return err
	}
	_, err = kvm.WaitForScreenChange(ctx, &pikvm.WaitChangeOptions{Since: before})
	return err
}

// record writes a film of the screen.
func record(ctx context.Context, kvm *pikvm.Client, path string, length time.Duration) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	film, err := kvm.Media.Record(ctx, file, &pikvm.RecordOptions{Duration: length})
	if err != nil {
		return err
	}
	fmt.Println("lost frames:", film.Lost)
	return file.Close()
}

// pinned returns the value for the option PinnedSHA256.
func pinned(ctx context.Context, url string) (string, error) {
	pin, err := pikvm.Fingerprint(ctx, url, nil)
	if err != nil {
		return "", err
	}
	fmt.Println("compare this with the device's own screen:", len(pin), "digits")
	return pin, nil
}

func Example() {
	device := pikvmtest.New(&pikvmtest.Options{TLS: true, TimeScale: 20})
	if err := device.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	pin := device.Fingerprint()

	fmt.Println(explain(switchOn(context.Background(), device.URL(), "admin", hex.EncodeToString(pin[:]))))
	fmt.Println(explain(switchOn(context.Background(), device.URL(), "wrong", hex.EncodeToString(pin[:]))))
	fmt.Println(explain(switchOn(context.Background(), device.URL(), "admin", "")))
	// Output:
	// power LED before: false
	// power LED after: true
	// done
	// check user name and password
	// the certificate is not the one that is trusted
}

func ExampleClient_Events() {
	device := pikvmtest.New(&pikvmtest.Options{TimeScale: 20, Host: pikvmtest.HostOptions{PoweredOn: true}})
	if err := device.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kvm.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	if err := kvm.ATX.Power(ctx, pikvm.PowerOff, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("switched off:", explain(watchPower(ctx, kvm)))
	// Output:
	// switched off: done
}

func ExampleMSD_UploadFile() {
	device := pikvmtest.New(&pikvmtest.Options{TimeScale: 20})
	if err := device.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kvm.Close()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "installer.iso")
	if err := os.WriteFile(path, make([]byte, 10_000), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	fmt.Println(explain(install(context.Background(), kvm, path)))
	fmt.Printf("%+v\n", device.Drive())
	// Output:
	// 100 %
	// done
	// {Connected:true Image:installer.iso CDROM:true Writable:false}
}

func ExampleClient_WaitForText() {
	device := pikvmtest.New(&pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Text: "Press Enter for setup\n"}})
	if err := device.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kvm.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var host sync.WaitGroup
	host.Go(func() {
		if device.WaitTyped(ctx, "\n") == nil {
			device.SetScreenText(strings.Repeat("setup\n", 40))
		}
	})
	defer host.Wait()

	fmt.Println(explain(enterSetup(ctx, kvm)))
	// Output:
	// the host says "Press Enter for setup"
	// done
}

func ExampleMedia_Record() {
	device := pikvmtest.New(&pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Forever: true}})
	if err := device.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kvm.Close()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "screen.h264")

	fmt.Println(explain(record(context.Background(), kvm, path, 200*time.Millisecond)))
	film, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("begins with % x\n", film[:5])
	// Output:
	// lost frames: 0
	// done
	// begins with 00 00 00 01 67
}

func ExampleFingerprint() {
	device := pikvmtest.New(&pikvmtest.Options{TLS: true})
	if err := device.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	pin, err := pinned(context.Background(), device.URL())
	if err != nil {
		fmt.Println(err)
		return
	}
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin", PinnedSHA256: pin, Auth: pikvm.AuthCookie})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kvm.Close()
	fmt.Println(explain(kvm.Auth.Check(context.Background())))
	// Output:
	// compare this with the device's own screen: 64 digits
	// done
}
