package pikvm_test

import (
	"context"
	"fmt"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

func ExampleHID_Type() {
	device := pikvmtest.New(&pikvmtest.Options{HID: pikvmtest.HIDOptions{Layout: "de"}}) // what the host is set to
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
	ctx := context.Background()

	opts := &pikvm.TypeOptions{Layout: "de", Escapes: true, Pace: -1}
	fmt.Println(explain(kvm.HID.Type(ctx, "größe@café<enter>", opts)))
	fmt.Printf("%q\n", device.Typed())
	fmt.Println(kvm.HID.Type(ctx, "日本", opts))
	// Output:
	// done
	// "größe@café\n"
	// pikvm: hid.Type: wrong configuration: text: character 1 is not on the layout
}
