// Program pikvm reads the power state of a PiKVM, from outside of the repository.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

func main() {
	device := pikvmtest.New(&pikvmtest.Options{TLS: true})
	if err := device.Start(); err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{
		Password:     "admin",
		PinnedSHA256: fmt.Sprintf("%x", device.Fingerprint()),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer kvm.Close()
	state, err := kvm.ATX.State(context.Background())
	if err != nil || !state.Enabled || state.LEDs.Power {
		log.Fatalf("%+v %v", state, err)
	}
}
