package pikvm_test

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// bootMenu starts the host into its boot menu.
func bootMenu(ctx context.Context, kvm *pikvm.Client) error {
	if err := kvm.ATX.PowerCycle(ctx, &pikvm.PowerOptions{Hard: true}); err != nil {
		return err
	}
	return kvm.EnterBIOS(ctx, pikvm.KeyF12, func(ctx context.Context) error {
		_, err := kvm.WaitForText(ctx, regexp.MustCompile("Boot Menu"), nil)
		return err
	}, nil)
}

// versions prints the versions of all devices.
func versions(ctx context.Context, fleet *pikvm.Fleet) error {
	results, err := pikvm.CollectFleet(ctx, fleet, func(ctx context.Context, d pikvm.FleetDevice) (string, error) {
		info, err := d.Client.Info.Get(ctx, nil)
		if err != nil {
			return "", err
		}
		return info.System.KVMD.String(), nil
	})
	for _, r := range results {
		if r.Err == nil {
			fmt.Println(r.Name, r.Value)
		}
	}
	return err // of all devices that failed
}

func ExampleClient_EnterBIOS() {
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	device.SetScreenText("Boot Menu") // what the host will show
	fmt.Println(explain(bootMenu(ctx, kvm)))
	fmt.Println("power:", device.HostPower())
	// Output:
	// done
	// power: true
}

func ExampleCollectFleet() {
	device := pikvmtest.New(nil)
	if err := device.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	rack, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	gone, err := pikvm.New("http://127.0.0.1:1", nil) // where nothing listens
	if err != nil {
		fmt.Println(err)
		return
	}
	fleet, err := pikvm.NewFleet([]pikvm.FleetDevice{{Name: "rack", Client: rack}, {Name: "gone", Client: gone}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fleet.Close()
	fmt.Println(explain(versions(context.Background(), fleet)))
	// Output:
	// rack 4.197
	// cannot reach the PiKVM
}
