//go:build interop

// Package siointerop_test runs the Socket.IO client and server of this repository against those of others: the official
// ones for JavaScript in versions 4 and 2, in Node.js and in a browser, those of python-socketio, and the official admin
// page. Old versions of the official ones are there to fall to published attacks.
//
// It needs what setup.sh installs, and fails without it.
package siointerop_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

// programs is where TestMain puts siotestserver: the folder of this repository for what was built.
const programs = "../../../.out"

func TestMain(m *testing.M) {
	build := exec.Command("go", "build", "-o", programs+"/siotestserver", "../cmd/siotestserver")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "siotestserver cannot be built:", err)
		os.Exit(1)
	}
	leak.Main(m)
}
