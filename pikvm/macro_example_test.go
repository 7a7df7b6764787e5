package pikvm_test

import (
	"context"
	"fmt"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// logIn runs a macro.
func logIn(ctx context.Context, kvm *pikvm.Client, macro []byte) error {
	m, err := pikvm.ParseMacro(macro) // names everything that is wrong
	if err != nil {
		return err
	}
	return kvm.RunMacro(ctx, m, &pikvm.MacroOptions{
		OnStep: func(p pikvm.MacroProgress) { fmt.Printf("%d of %d: %s\n", p.Index+1, p.Total, p.Step.Type()) },
	})
}

func ExampleClient_RunMacro() {
	device := pikvmtest.New(&pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Text: "host login:"}})
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

	fmt.Println(explain(logIn(ctx, kvm, []byte(`[
		{"event_type": "wait_text", "event": {"pattern": "login:"}},
		{"event_type": "print", "event": {"text": "root\n"}},
		{"event_type": "delay", "event": {"millis": 50}},
		{"event_type": "key", "event": {"key": "ControlLeft", "state": true}},
		{"event_type": "key", "event": {"key": "KeyL", "state": true}}
	]`))))
	fmt.Printf("%q, pressed %v\n", device.Typed(), device.Pressed())
	fmt.Println(logIn(ctx, kvm, []byte(`[{"event_type": "key", "event": {"key": "Any"}}]`)))
	// Output:
	// 1 of 5: wait_text
	// 2 of 5: print
	// 3 of 5: delay
	// 4 of 5: key
	// 5 of 5: key
	// done
	// "root\n", pressed []
	// pikvm: macro.Parse: invalid macro: step 0 (key): state is missing
}
