package pikvm_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

func ExampleATX_PowerCycle() {
	device := pikvmtest.New(&pikvmtest.Options{ // stands for https://pikvm.local
		Host:      pikvmtest.HostOptions{PoweredOn: true},
		TimeScale: 20,
	})
	if err := device.Start(); err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		log.Fatal(err)
	}
	defer kvm.Close()

	err = kvm.ATX.PowerCycle(context.Background(), &pikvm.PowerOptions{
		Escalate: true, // hold the button if the operating system does not listen
		OffTime:  100 * time.Millisecond,
		OnStep: func(step pikvm.PowerStep) {
			fmt.Printf("%s, LED %v\n", step.Name, step.State != nil && step.State.LEDs.Power)
		},
	})
	if failed, ok := errors.AsType[*pikvm.PowerError](err); ok {
		fmt.Println("stopped at", failed.Step, "pressed", failed.Pressed)
	}
	// Output:
	// check, LED false
	// press off, LED true
	// wait off, LED true
	// pause, LED false
	// press on, LED false
	// wait on, LED false
	// done, LED true
}
